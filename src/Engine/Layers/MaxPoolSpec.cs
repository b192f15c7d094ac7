using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>The largest value under each window. Padding never wins.</summary>
public sealed record MaxPoolSpec : PoolingSpec
{
    private protected override string Type => "maxPool";

    private protected override MaxPool Build(string name, int index, Shape input, Window rows, Window columns) =>
        new(name, index, input, rows, columns);
}
