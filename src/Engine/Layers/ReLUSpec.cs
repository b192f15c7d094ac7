using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>max(x, 0), element by element.</summary>
public sealed record ReLUSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input;

    internal override Layer Build(ModelBuilder builder, string name, Shape input) => new ReLU(name, builder.NextLayer(), input);
}
