using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// Vector passes. Sums run in float over at most 64 pixels, in four or two interleaved parts that hide the latency of an addition, and in
/// double from there on; means are taken about the first pixel, so that a large mean costs no precision.
/// </summary>
internal sealed unsafe class FastNormalization : NormalizationKernel
{
    private const int Chunk = 64 * 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Moments(ReadOnlySpan<float> x, Span<double> mean, Span<double> m2)
    {
        int area = x.Length / 8;
        float* high = stackalloc float[8];
        float* low = stackalloc float[8];
        fixed (float* input = x)
        {
            float* end = input + x.Length;
            Deviations(input, end).CopyTo(mean);
            for (int lane = 0; lane < 8; lane++)
            {
                mean[lane] = input[lane] + mean[lane] / area;
                high[lane] = (float)mean[lane];
                low[lane] = (float)(mean[lane] - high[lane]);
            }

            SquaredDeviations(input, end, Vector256.Load(high), Vector256.Load(low)).CopyTo(m2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Forward(ReadOnlySpan<float> x, Span<float> y, in NormBlock block, bool relu)
    {
        var norm = new NormVectors(block);
        fixed (float* input = x, output = y)
        {
            if (relu)
            {
                for (nint i = 0; i < x.Length; i += 8)
                {
                    Vector256<float> value = norm.Affine(norm.Normalize(Vector256.Load(input + i)));
                    Vector256.AndNot(value, Vector256.LessThanOrEqual(value, Vector256<float>.Zero)).Store(output + i);
                }
            }
            else
            {
                for (nint i = 0; i < x.Length; i += 8)
                {
                    norm.Affine(norm.Normalize(Vector256.Load(input + i))).Store(output + i);
                }
            }
        }
    }

    public override void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat)
    {
        if (relu)
        {
            MaskedSums(x, dy, block, sumDy, sumDyXhat);
        }
        else
        {
            PlainSums(x, dy, block, sumDy, sumDyXhat);
        }
    }

    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu)
    {
        if (relu)
        {
            MaskedBackward(x, dy, dx, block);
        }
        else
        {
            PlainBackward(x, dy, dx, block);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaskedSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, Span<double> sumDy, Span<double> sumDyXhat) =>
        Sums(x, dy, block, relu: true, sumDy, sumDyXhat);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PlainSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, Span<double> sumDy, Span<double> sumDyXhat) =>
        Sums(x, dy, block, relu: false, sumDy, sumDyXhat);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaskedBackward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block) =>
        Backward(x, dy, dx, block, relu: true, new NormVectors(block));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PlainBackward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block) =>
        Backward(x, dy, dx, block, relu: false, new NormVectors(block));

    /// <summary>Σ(x − first pixel).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static LaneSum Deviations(float* x, float* end)
    {
        Vector256<float> shift = Vector256.Load(x);
        var sum = default(LaneSum);
        while (x < end)
        {
            float* chunkEnd = end - x < Chunk ? end : x + Chunk;
            Vector256<float> a = Vector256<float>.Zero, b = a, c = a, d = a;
            for (; x + 32 <= chunkEnd; x += 32)
            {
                a += Vector256.Load(x) - shift;
                b += Vector256.Load(x + 8) - shift;
                c += Vector256.Load(x + 16) - shift;
                d += Vector256.Load(x + 24) - shift;
            }

            for (; x < chunkEnd; x += 8)
            {
                a += Vector256.Load(x) - shift;
            }

            sum.Add((a + b) + (c + d));
        }

        return sum;
    }

    /// <summary>Σ(x − mean)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static LaneSum SquaredDeviations(float* x, float* end, Vector256<float> high, Vector256<float> low)
    {
        var sum = default(LaneSum);
        while (x < end)
        {
            float* chunkEnd = end - x < Chunk ? end : x + Chunk;
            Vector256<float> a = Vector256<float>.Zero, b = a, c = a, d = a;
            for (; x + 32 <= chunkEnd; x += 32)
            {
                a = AddSquare((Vector256.Load(x) - high) - low, a);
                b = AddSquare((Vector256.Load(x + 8) - high) - low, b);
                c = AddSquare((Vector256.Load(x + 16) - high) - low, c);
                d = AddSquare((Vector256.Load(x + 24) - high) - low, d);
            }

            for (; x < chunkEnd; x += 8)
            {
                a = AddSquare((Vector256.Load(x) - high) - low, a);
            }

            sum.Add((a + b) + (c + d));
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat)
    {
        var norm = new NormVectors(block);
        var totalDy = default(LaneSum);
        var totalDyXhat = default(LaneSum);
        fixed (float* input = x, gradient = dy)
        {
            nint length = x.Length;
            for (nint i = 0; i < length;)
            {
                nint end = Math.Min(i + Chunk, length);
                Vector256<float> evenDy = Vector256<float>.Zero, oddDy = evenDy, evenDyXhat = evenDy, oddDyXhat = evenDy;
                for (; i + 16 <= end; i += 16)
                {
                    Accumulate(norm, input + i, gradient + i, relu, ref evenDy, ref evenDyXhat);
                    Accumulate(norm, input + i + 8, gradient + i + 8, relu, ref oddDy, ref oddDyXhat);
                }

                if (i < end)
                {
                    Accumulate(norm, input + i, gradient + i, relu, ref evenDy, ref evenDyXhat);
                    i += 8;
                }

                totalDy.Add(evenDy + oddDy);
                totalDyXhat.Add(evenDyXhat + oddDyXhat);
            }
        }

        totalDy.CopyTo(sumDy);
        totalDyXhat.CopyTo(sumDyXhat);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Backward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu, NormVectors norm)
    {
        Vector256<float> scale = Vector256.Create(block.DyScale);
        Vector256<float> shift = -Vector256.Create(block.DyShift);
        Vector256<float> xhatScale = -Vector256.Create(block.XhatScale);
        fixed (float* input = x, gradient = dy, result = dx)
        {
            for (nint i = 0; i < x.Length; i += 8)
            {
                Vector256<float> xhat = norm.Normalize(Vector256.Load(input + i));
                Vector256<float> value = Masked(Vector256.Load(gradient + i), xhat, norm, relu);
                value = Vector256.FusedMultiplyAdd(value, scale, shift);
                Vector256.FusedMultiplyAdd(xhat, xhatScale, value).Store(result + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(
        in NormVectors norm, float* x, float* dy, bool relu, ref Vector256<float> sumDy, ref Vector256<float> sumDyXhat)
    {
        Vector256<float> xhat = norm.Normalize(Vector256.Load(x));
        Vector256<float> value = Masked(Vector256.Load(dy), xhat, norm, relu);
        sumDy += value;
        sumDyXhat = Vector256.FusedMultiplyAdd(value, xhat, sumDyXhat);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AddSquare(Vector256<float> value, Vector256<float> sum) => Vector256.FusedMultiplyAdd(value, value, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Masked(Vector256<float> dy, Vector256<float> xhat, in NormVectors norm, bool relu) =>
        relu ? Vector256.AndNot(dy, Vector256.LessThanOrEqual(norm.Affine(xhat), Vector256<float>.Zero)) : dy;
}
