using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// Vector passes. Sums run in float over at most 64 pixels, in four or two interleaved parts that hide the latency of an addition, and in
/// double from there on; means are taken about the first pixel, so that a large mean costs no precision. A vector of 16 holds two
/// neighbouring pixels, so that its halves are two of these parts.
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

    public override void Forward(ReadOnlySpan<float> x, Span<float> y, in NormBlock block, bool relu)
    {
        fixed (float* input = x, output = y)
        {
            nint done = VectorWidth.IsWide ? Forward<Floats16>(input, output, 0, x.Length, block, relu) : 0;
            Forward<Floats8>(input, output, done, x.Length, block, relu);
        }
    }

    public override void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat)
    {
        fixed (float* input = x, gradient = dy)
        {
            switch (VectorWidth.IsWide, relu)
            {
                case (true, true):
                    Sums<Floats16, Relu>(input, gradient, x.Length, block, sumDy, sumDyXhat);
                    break;
                case (true, false):
                    Sums<Floats16, NoRelu>(input, gradient, x.Length, block, sumDy, sumDyXhat);
                    break;
                case (false, true):
                    Sums<Floats8, Relu>(input, gradient, x.Length, block, sumDy, sumDyXhat);
                    break;
                default:
                    Sums<Floats8, NoRelu>(input, gradient, x.Length, block, sumDy, sumDyXhat);
                    break;
            }
        }
    }

    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu)
    {
        fixed (float* input = x, gradient = dy, result = dx)
        {
            if (relu)
            {
                nint done = VectorWidth.IsWide ? Backward<Floats16, Relu>(input, gradient, result, 0, x.Length, block) : 0;
                Backward<Floats8, Relu>(input, gradient, result, done, x.Length, block);
            }
            else
            {
                nint done = VectorWidth.IsWide ? Backward<Floats16, NoRelu>(input, gradient, result, 0, x.Length, block) : 0;
                Backward<Floats8, NoRelu>(input, gradient, result, done, x.Length, block);
            }
        }
    }

    /// <summary>Whole vectors from <paramref name="i"/> on.</summary>
    /// <returns>Where it stopped.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Forward<T>(float* input, float* output, nint i, nint length, in NormBlock block, bool relu)
        where T : struct, IFloats<T>
    {
        var norm = new NormVectors<T>(block);
        if (relu)
        {
            for (; i + T.Count <= length; i += T.Count)
            {
                T value = norm.Affine(norm.Normalize(T.Load(input + i)));
                T.WherePositive(value, value).Store(output + i);
            }
        }
        else
        {
            for (; i + T.Count <= length; i += T.Count)
            {
                norm.Affine(norm.Normalize(T.Load(input + i))).Store(output + i);
            }
        }

        return i;
    }

    /// <summary>
    /// Σ(x − first pixel). One source on vectors of 16: with one constant their halves cost no more than vectors of 8.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static LaneSum Deviations(float* x, float* end)
    {
        Vector256<float> shift = Vector256.Load(x);
        Vector512<float> shifts = Vector512.Create(shift, shift);
        var sum = default(LaneSum);
        while (x < end)
        {
            float* chunkEnd = end - x < Chunk ? end : x + Chunk;
            Vector512<float> ab = Vector512<float>.Zero, cd = ab;
            for (; x + 32 <= chunkEnd; x += 32)
            {
                ab += Vector512.Load(x) - shifts;
                cd += Vector512.Load(x + 16) - shifts;
            }

            Vector256<float> a = ab.GetLower();
            for (; x < chunkEnd; x += 8)
            {
                a += Vector256.Load(x) - shift;
            }

            sum.Add((a + ab.GetUpper()) + (cd.GetLower() + cd.GetUpper()));
        }

        return sum;
    }

    /// <summary>Σ(x − mean)². One source, as above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static LaneSum SquaredDeviations(float* x, float* end, Vector256<float> high, Vector256<float> low)
    {
        Vector512<float> highs = Vector512.Create(high, high), lows = Vector512.Create(low, low);
        var sum = default(LaneSum);
        while (x < end)
        {
            float* chunkEnd = end - x < Chunk ? end : x + Chunk;
            Vector512<float> ab = Vector512<float>.Zero, cd = ab;
            for (; x + 32 <= chunkEnd; x += 32)
            {
                Vector512<float> first = (Vector512.Load(x) - highs) - lows, second = (Vector512.Load(x + 16) - highs) - lows;
                ab = Vector512.FusedMultiplyAdd(first, first, ab);
                cd = Vector512.FusedMultiplyAdd(second, second, cd);
            }

            Vector256<float> a = ab.GetLower();
            for (; x < chunkEnd; x += 8)
            {
                Vector256<float> deviation = (Vector256.Load(x) - high) - low;
                a = Vector256.FusedMultiplyAdd(deviation, deviation, a);
            }

            sum.Add((a + ab.GetUpper()) + (cd.GetLower() + cd.GetUpper()));
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sums<T, TRelu>(
        float* input, float* gradient, nint length, in NormBlock block, Span<double> sumDy, Span<double> sumDyXhat)
        where T : struct, IFloats<T>
        where TRelu : struct
    {
        var norm = new NormVectors<T>(block);
        var totalDy = default(LaneSum);
        var totalDyXhat = default(LaneSum);
        for (nint i = 0; i < length;)
        {
            nint end = Math.Min(i + Chunk, length);
            T firstDy = default, secondDy = default, firstDyXhat = default, secondDyXhat = default;
            for (; i + 16 <= end; i += 16)
            {
                Accumulate<T, TRelu>(norm, input + i, gradient + i, ref firstDy, ref firstDyXhat);
                if (T.Count == 8)
                {
                    Accumulate<T, TRelu>(norm, input + i + 8, gradient + i + 8, ref secondDy, ref secondDyXhat);
                }
            }

            (Vector256<float> evenDy, Vector256<float> oddDy) = T.EvenAndOdd(firstDy, secondDy);
            (Vector256<float> evenDyXhat, Vector256<float> oddDyXhat) = T.EvenAndOdd(firstDyXhat, secondDyXhat);
            if (i < end)
            {
                AccumulateLast<TRelu>(block, input + i, gradient + i, ref evenDy, ref evenDyXhat);
                i += 8;
            }

            totalDy.Add(evenDy + oddDy);
            totalDyXhat.Add(evenDyXhat + oddDyXhat);
        }

        totalDy.CopyTo(sumDy);
        totalDyXhat.CopyTo(sumDyXhat);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Backward<T, TRelu>(float* input, float* gradient, float* result, nint i, nint length, in NormBlock block)
        where T : struct, IFloats<T>
        where TRelu : struct
    {
        var norm = new NormVectors<T>(block);
        var gradients = new GradientVectors<T>(block);
        for (; i + T.Count <= length; i += T.Count)
        {
            T xhat = norm.Normalize(T.Load(input + i));
            gradients.Step(xhat, Masked<T, TRelu>(gradient + i, xhat, norm)).Store(result + i);
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate<T, TRelu>(in NormVectors<T> norm, float* x, float* dy, ref T sumDy, ref T sumDyXhat)
        where T : struct, IFloats<T>
        where TRelu : struct
    {
        T xhat = norm.Normalize(T.Load(x));
        T value = Masked<T, TRelu>(dy, xhat, norm);
        sumDy += value;
        sumDyXhat.AddProduct(value, xhat);
    }

    // Inlined, because vectors don't stay in registers over a call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AccumulateLast<TRelu>(
        in NormBlock block, float* x, float* dy, ref Vector256<float> sumDy, ref Vector256<float> sumDyXhat)
        where TRelu : struct
    {
        Floats8 sum = Floats8.Repeat(sumDy), sumXhat = Floats8.Repeat(sumDyXhat);
        Accumulate<Floats8, TRelu>(new NormVectors<Floats8>(block), x, dy, ref sum, ref sumXhat);
        (sumDy, sumDyXhat) = Floats8.EvenAndOdd(sum, sumXhat);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Masked<T, TRelu>(float* dy, T xhat, in NormVectors<T> norm)
        where T : struct, IFloats<T>
        where TRelu : struct => typeof(TRelu) == typeof(Relu) ? T.LoadWherePositive(dy, norm.Affine(xhat)) : T.Load(dy);

    /// <summary>A loop that masks dy by the ReLU that follows: the compiler makes one for each of both, without a branch.</summary>
    private readonly struct Relu;

    /// <summary>A loop that takes dy as it is.</summary>
    private readonly struct NoRelu;
}
