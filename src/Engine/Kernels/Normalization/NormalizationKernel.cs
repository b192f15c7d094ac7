namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// The passes of normalization over one sample's block of 8 channels, (pixels, 8), each lane by itself. x̂ and y are the same float
/// operations in both kernel sets.
/// </summary>
internal abstract class NormalizationKernel
{
    private static readonly NormalizationKernel Reference = new ReferenceNormalization();
    private static readonly NormalizationKernel Fast = new FastNormalization();

    public static NormalizationKernel For(KernelSet kernels) => kernels == KernelSet.Reference ? Reference : Fast;

    /// <summary>Mean and Σ(x − mean)² in two passes.</summary>
    public abstract void Moments(ReadOnlySpan<float> x, Span<double> mean, Span<double> m2);

    /// <summary>y = γ·x̂ + β, then the ReLU that follows if <paramref name="relu"/>.</summary>
    public abstract void Forward(ReadOnlySpan<float> x, Span<float> y, in NormBlock block, bool relu);

    /// <summary>Σdy and Σdy·x̂, with dy masked by the ReLU that follows if <paramref name="relu"/>.</summary>
    public abstract void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat);

    /// <summary>dx = DyScale·dy − DyShift − x̂·XhatScale, with dy masked as above.</summary>
    /// <param name="dx">May be <paramref name="x"/> or <paramref name="dy"/> itself.</param>
    public abstract void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu);
}
