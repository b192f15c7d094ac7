using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// The end of a residual block for one sample's block of 8 channels in one pass: normalization of one branch or of both, their sum, and the
/// ReLU. Every value sees the operations, in the order, of the passes one by one.
/// </summary>
internal static unsafe class NormalizedSum
{
    /// <summary>y = relu(γ·x̂ + β + shortcut).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ReadOnlySpan<float> x, in NormBlock block, ReadOnlySpan<float> shortcut, Span<float> y)
    {
        var norm = new NormVectors(block);
        fixed (float* main = x, other = shortcut, output = y)
        {
            nint end = y.Length;
            for (nint i = 0; i < end; i += 8)
            {
                Vector256<float> value = norm.Affine(norm.Normalize(Vector256.Load(main + i)));
                Positive(value + Vector256.Load(other + i)).Store(output + i);
            }
        }
    }

    /// <summary>y = relu(γ·x̂ + β of both branches, summed).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(
        ReadOnlySpan<float> x, in NormBlock block, ReadOnlySpan<float> shortcut, in NormBlock shortcutBlock, Span<float> y)
    {
        var norm = new NormVectors(block);
        var otherNorm = new NormVectors(shortcutBlock);
        fixed (float* main = x, other = shortcut, output = y)
        {
            nint end = y.Length;
            for (nint i = 0; i < end; i += 8)
            {
                Vector256<float> value = norm.Affine(norm.Normalize(Vector256.Load(main + i)));
                value += otherNorm.Affine(otherNorm.Normalize(Vector256.Load(other + i)));
                Positive(value).Store(output + i);
            }
        }
    }

    /// <summary>y = relu(main + shortcut).</summary>
    /// <param name="y">May be one of the branches itself.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ReadOnlySpan<float> main, ReadOnlySpan<float> shortcut, Span<float> y)
    {
        fixed (float* first = main, second = shortcut, output = y)
        {
            nint end = y.Length;
            for (nint i = 0; i < end; i += 8)
            {
                Positive(Vector256.Load(first + i) + Vector256.Load(second + i)).Store(output + i);
            }
        }
    }

    /// <summary>NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Positive(Vector256<float> value) =>
        Vector256.AndNot(value, Vector256.LessThanOrEqual(value, Vector256<float>.Zero));
}
