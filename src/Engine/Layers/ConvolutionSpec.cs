using System.Text.Json.Serialization;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>Filters that are shared over all positions.</summary>
public sealed record ConvolutionSpec : FilterSpec
{
    /// <summary>Divides C and K; C groups make it depthwise.</summary>
    [JsonPropertyOrder(1)]
    public int Groups { get; init; } = 1;

    internal override ConvolutionGeometry Geometry(Shape input, string name)
    {
        string layer = $"layer '{name}' (conv)";
        ConvolutionGeometry geometry = Fit(layer, input, Groups);
        Limits.CheckWeights(layer, Out, geometry.ChannelsPerGroup, geometry.Taps);
        return geometry;
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        ConvolutionGeometry geometry = Geometry(input, name);
        int[] shape = [Out, geometry.ChannelsPerGroup, Kernel.H, Kernel.W];
        return new Convolution(name, builder.NextLayer(), geometry, shape, Bias);
    }
}
