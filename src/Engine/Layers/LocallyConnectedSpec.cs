using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>A convolution whose filters and biases are not shared between positions.</summary>
public sealed record LocallyConnectedSpec : FilterSpec
{
    internal override ConvolutionGeometry Geometry(Shape input, string name)
    {
        string layer = $"layer '{name}' (locallyConnected)";
        ConvolutionGeometry geometry = Fit(layer, input, groups: 1);
        Limits.CheckWeights(layer, Out, input.C, geometry.Taps, geometry.Output.Area);
        return geometry;
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new LocallyConnected(name, builder.NextLayer(), Geometry(input, name), Bias);
}
