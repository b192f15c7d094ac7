using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Pooling;

namespace ConvNet.Engine.Layers;

/// <summary>Average pooling; global average pooling is one window over everything.</summary>
public sealed class AvgPool : PoolingLayer
{
    internal AvgPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, rows, columns)
    {
    }

    private protected override void ForwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, Span<float> y) =>
        kernel.AverageForward(x, y, Rows, Columns);

    private protected override void BackwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx) =>
        kernel.AverageBackward(dy, dx, Rows, Columns);
}
