using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>Every output sees every input: C values (flat, Cx1x1) to K. Computed as a 1x1 convolution over one pixel.</summary>
public sealed record FullyConnectedSpec : LayerSpec
{
    /// <summary>K.</summary>
    public required int Out { get; init; }

    public bool Bias { get; init; } = true;

    public override Shape OutputShape(Shape input, string name)
    {
        string layer = $"layer '{name}' (fullyConnected)";
        if (input.Area != 1)
        {
            throw ConvNetException.BadInput(
                $"{layer} needs a flat input (Cx1x1) but gets {input}; put {{\"type\":\"flatten\"}} before it ({input.Count} values).");
        }

        Limits.CheckCount(layer, "out", Out);
        Limits.CheckWeights(layer, Out, input.C);
        return new Shape(Out, 1, 1);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        Shape output = OutputShape(input, name);
        return new Convolution(
            name, builder.NextLayer(), ConvolutionGeometry.FullyConnected(input.C, output.C), [output.C, input.C], Bias);
    }
}
