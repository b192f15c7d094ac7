using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>The constants of normalization for one block of 8 channels, in registers.</summary>
internal readonly struct NormVectors(in NormBlock block)
{
    private readonly Vector256<float> _high = Vector256.Create(block.MeanHigh);
    private readonly Vector256<float> _low = Vector256.Create(block.MeanLow);
    private readonly Vector256<float> _inverse = Vector256.Create(block.InverseDeviation);
    private readonly Vector256<float> _gamma = Vector256.Create(block.Gamma);
    private readonly Vector256<float> _beta = Vector256.Create(block.Beta);

    /// <summary>x̂.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Normalize(Vector256<float> x) => ((x - _high) - _low) * _inverse;

    /// <summary>γ·x̂ + β.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Affine(Vector256<float> xhat) => Vector256.FusedMultiplyAdd(xhat, _gamma, _beta);
}
