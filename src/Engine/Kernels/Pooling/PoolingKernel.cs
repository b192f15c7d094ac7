using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Pooling;

/// <summary>Pooling of one sample's block of 8 channels, (pixels, 8), each lane by itself. Windows are visited in row order.</summary>
internal abstract class PoolingKernel
{
    private static readonly PoolingKernel Reference = new ReferencePooling();
    private static readonly PoolingKernel Fast = new FastPooling();

    public static PoolingKernel For(KernelSet kernels) => kernels == KernelSet.Reference ? Reference : Fast;

    /// <summary>The largest value under each window; NaN counts as largest.</summary>
    public abstract void MaxForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns);

    /// <summary>Adds each dy to the first largest value of its window; overwrites dx.</summary>
    public abstract void MaxBackward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns);

    /// <summary>The sum under each window over the window's size.</summary>
    public abstract void AverageForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns);

    /// <summary>Spreads each dy evenly over its window; overwrites dx.</summary>
    public abstract void AverageBackward(ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns);

    /// <summary>The taps of one window that lie inside the input.</summary>
    protected static (int First, int End) Inside(in Window axis, int output)
    {
        int start = axis.Position(output, 0);
        return (Math.Max(0, -start), Math.Min(axis.Kernel, axis.Input - start));
    }
}
