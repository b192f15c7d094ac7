using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Per sample over C, H, W; γ and β of the same shape, as PyTorch's LayerNorm([C, H, W]).
/// Source: Ba, Kiros, Hinton, "Layer normalization" (2016).
/// </summary>
public sealed record LayerNormSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input;

    internal override Layer Build(ModelBuilder builder, string name, Shape input) => new LayerNorm(name, builder.NextLayer(), input);
}
