using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>The constants of normalization for one block of 8 channels, in registers.</summary>
internal readonly struct NormVectors<T>
    where T : struct, IFloats<T>
{
    private readonly T _high;
    private readonly T _low;
    private readonly T _inverse;
    private readonly T _gamma;
    private readonly T _beta;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public NormVectors(in NormBlock block)
    {
        _high = T.Repeat(Vector256.Create(block.MeanHigh));
        _low = T.Repeat(Vector256.Create(block.MeanLow));
        _inverse = T.Repeat(Vector256.Create(block.InverseDeviation));
        _gamma = T.Repeat(Vector256.Create(block.Gamma));
        _beta = T.Repeat(Vector256.Create(block.Beta));
    }

    /// <summary>x̂.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Normalize(T x) => ((x - _high) - _low) * _inverse;

    /// <summary>γ·x̂ + β.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Affine(T xhat) => T.MultiplyAdd(xhat, _gamma, _beta);
}
