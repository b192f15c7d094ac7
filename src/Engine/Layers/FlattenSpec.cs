using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>(C, H, W) to CHW values in that order.</summary>
public sealed record FlattenSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name)
    {
        Limits.CheckVolume($"layer '{name}' (flatten)", new Shape(input.Count, 1, 1));
        return new Shape(input.Count, 1, 1);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new Flatten(name, builder.NextLayer(), input, OutputShape(input, name));
}
