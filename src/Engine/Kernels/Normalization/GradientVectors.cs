using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>The constants of normalization's backward pass for one block of 8 channels, in registers.</summary>
internal readonly struct GradientVectors<T>
    where T : struct, IFloats<T>
{
    /// <summary>What dy is multiplied by.</summary>
    public readonly T Scale;

    private readonly T _shift;
    private readonly T _xhatScale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GradientVectors(in NormBlock block)
    {
        Scale = T.Repeat(Vector256.Create(block.DyScale));
        _shift = -T.Repeat(Vector256.Create(block.DyShift));
        _xhatScale = -T.Repeat(Vector256.Create(block.XhatScale));
    }

    /// <summary>dx from a dy that has been scaled, with a rounding in between.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Add(T xhat, T scaledDy) => T.MultiplyAdd(xhat, _xhatScale, scaledDy + _shift);

    /// <summary>dx from dy, which is scaled and shifted with one rounding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Step(T xhat, T dy) => T.MultiplyAdd(xhat, _xhatScale, T.MultiplyAdd(dy, Scale, _shift));
}
