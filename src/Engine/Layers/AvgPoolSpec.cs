using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>The mean under each window. Padding counts as zeros, as in PyTorch.</summary>
public sealed record AvgPoolSpec : PoolingSpec
{
    private protected override string Type => "avgPool";

    private protected override AvgPool Build(string name, int index, Shape input, Window rows, Window columns) =>
        new(name, index, input, rows, columns);
}
