using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Per channel over all samples and pixels of the global batch: y = γ(x − μ)/√(σ² + ε) + β with the biased variance σ².
/// Goes after a convolution or fully connected layer and before the nonlinearity.
/// </summary>
public sealed record BatchNormSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input;

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new BatchNorm(name, builder.NextLayer(), builder.NextBatchNorm(), input, builder.BatchNormMode);
}
