namespace ConvNet.Engine.Kernels;

/// <summary>The constants of one block of 8 channels.</summary>
internal readonly ref struct NormBlock(NormConstants constants, float[] gamma, float[] beta, int block)
{
    public readonly ReadOnlySpan<float> MeanHigh = constants.MeanHigh.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> MeanLow = constants.MeanLow.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> InverseDeviation = constants.InverseDeviation.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> DyScale = constants.DyScale.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> DyShift = constants.DyShift.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> XhatScale = constants.XhatScale.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> Gamma = gamma.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> Beta = beta.AsSpan(block * 8, 8);
}
