using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// The end of a residual block for one sample's block of 8 channels in one pass: normalization of one branch or of both, their sum, and the
/// ReLU. Every value sees the operations, in the order, of the passes one by one.
/// </summary>
internal static unsafe class NormalizedSum
{
    /// <summary>y = relu(γ·x̂ + β + shortcut).</summary>
    public static void Forward(ReadOnlySpan<float> x, in NormBlock block, ReadOnlySpan<float> shortcut, Span<float> y)
    {
        fixed (float* main = x, other = shortcut, output = y)
        {
            nint done = VectorWidth.IsWide ? One<Floats16>(main, block, other, output, 0, y.Length) : 0;
            One<Floats8>(main, block, other, output, done, y.Length);
        }
    }

    /// <summary>y = relu(γ·x̂ + β of both branches, summed).</summary>
    public static void Forward(
        ReadOnlySpan<float> x, in NormBlock block, ReadOnlySpan<float> shortcut, in NormBlock shortcutBlock, Span<float> y)
    {
        fixed (float* main = x, other = shortcut, output = y)
        {
            nint done = VectorWidth.IsWide ? Both<Floats16>(main, block, other, shortcutBlock, output, 0, y.Length) : 0;
            Both<Floats8>(main, block, other, shortcutBlock, output, done, y.Length);
        }
    }

    /// <summary>y = relu(main + shortcut).</summary>
    /// <param name="y">May be one of the branches itself.</param>
    public static void Forward(ReadOnlySpan<float> main, ReadOnlySpan<float> shortcut, Span<float> y)
    {
        fixed (float* first = main, second = shortcut, output = y)
        {
            nint done = VectorWidth.IsWide ? None<Floats16>(first, second, output, 0, y.Length) : 0;
            None<Floats8>(first, second, output, done, y.Length);
        }
    }

    /// <summary>Whole vectors from <paramref name="i"/> on, with one branch normalized.</summary>
    /// <returns>Where it stopped.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint One<T>(float* main, in NormBlock block, float* other, float* output, nint i, nint end)
        where T : struct, IFloats<T>
    {
        var norm = new NormVectors<T>(block);
        for (; i + T.Count <= end; i += T.Count)
        {
            T value = norm.Affine(norm.Normalize(T.Load(main + i))) + T.Load(other + i);
            T.WherePositive(value, value).Store(output + i);
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Both<T>(
        float* main, in NormBlock block, float* other, in NormBlock otherBlock, float* output, nint i, nint end)
        where T : struct, IFloats<T>
    {
        var norm = new NormVectors<T>(block);
        var otherNorm = new NormVectors<T>(otherBlock);
        for (; i + T.Count <= end; i += T.Count)
        {
            T value = norm.Affine(norm.Normalize(T.Load(main + i)));
            value += otherNorm.Affine(otherNorm.Normalize(T.Load(other + i)));
            T.WherePositive(value, value).Store(output + i);
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint None<T>(float* first, float* second, float* output, nint i, nint end)
        where T : struct, IFloats<T>
    {
        for (; i + T.Count <= end; i += T.Count)
        {
            T value = T.Load(first + i) + T.Load(second + i);
            T.WherePositive(value, value).Store(output + i);
        }

        return i;
    }
}
