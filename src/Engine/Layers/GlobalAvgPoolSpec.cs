using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>The mean over all pixels of each channel: (C, H, W) to (C, 1, 1).</summary>
public sealed record GlobalAvgPoolSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => new(input.C, 1, 1);

    internal override Layer Build(ModelBuilder builder, string name, Shape input) => new AvgPool(
        name,
        builder.NextLayer(),
        input,
        new Window(input.H, input.H, 1, 0, 1, 1),
        new Window(input.W, input.W, 1, 0, 1, 1));
}
