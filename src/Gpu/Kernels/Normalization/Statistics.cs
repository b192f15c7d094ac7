using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// Sums over the pixels of one sample's channel, in the orders of the engine's FastNormalization: in float over chunks of 64 pixels, in interleaved
/// parts, and in double over the chunks. An item is a lane of a sample.
/// <code>
/// moments, four parts:      a: 0 4 8 ... and what is left after whole fours    b: 1 5 9 ...    c: 2 6 10 ...    d: 3 7 11 ...    (a + b) + (c + d)
/// backward sums, two parts: a: 0 2 4 ... and what is left after whole pairs    b: 1 3 5 ...                                      a + b
/// </code>
/// </summary>
internal static class Statistics
{
    /// <summary>Pixels of a chunk.</summary>
    private const int Chunk = 64;

    /// <summary>Mean and Σ(x − mean)² in two passes, about the first pixel.</summary>
    public static void Moments(Index1D i, ArrayView<Float32> x, ArrayView<Float64> means, ArrayView<Float64> m2s, int area)
    {
        int at = (i >> 3) * area * 8 + (i & 7);
        Float32 shift = x[at];
        Float64 total = Float64.Zero;
        for (int chunk = 0; chunk < area; chunk += Chunk)
        {
            total = total + Deviations(x, at + chunk * 8, IntrinsicMath.Min(Chunk, area - chunk), shift);
        }

        Float64 mean = (Float64)shift + total / (Float64)area;
        var high = (Float32)mean;
        var low = (Float32)(mean - high);
        total = Float64.Zero;
        for (int chunk = 0; chunk < area; chunk += Chunk)
        {
            total = total + Squares(x, at + chunk * 8, IntrinsicMath.Min(Chunk, area - chunk), high, low);
        }

        means[i] = mean;
        m2s[i] = total;
    }

    /// <summary>Σdy and Σdy·x̂, with dy masked by the ReLU that follows if <paramref name="relu"/> is not 0.</summary>
    public static void BackwardSums(
        Index1D i,
        ArrayView<Float32> x,
        ArrayView<Float32> dy,
        NormViews norm,
        ArrayView<Float64> sumsDy,
        ArrayView<Float64> sumsDyXhat,
        int area,
        int relu)
    {
        int at = (i >> 3) * area * 8 + (i & 7);
        int n = i / norm.Lanes;
        int lane = i - n * norm.Lanes;
        int place = NormPlace.Set(norm.Sets[n], norm.Lanes) + lane;
        Float32 high = norm.Constants[place], low = norm.Constants[place + norm.Lanes], inverse = norm.Constants[place + 2 * norm.Lanes];
        Float32 gamma = norm.Gamma[lane], beta = norm.Beta[lane];
        Float64 totalDy = Float64.Zero, totalDyXhat = Float64.Zero;
        for (int chunk = 0; chunk < area; chunk += Chunk)
        {
            int end = IntrinsicMath.Min(chunk + Chunk, area);
            Float32 evenDy = Float32.Zero, oddDy = Float32.Zero, evenXhat = Float32.Zero, oddXhat = Float32.Zero;
            for (int p = chunk; p < end; p++)
            {
                Float32 xhat = ((x[at + p * 8] - high) - low) * inverse;
                Float32 value = dy[at + p * 8];
                value = relu != 0 ? value.WherePositive(Float32.Fma(xhat, gamma, beta)) : value;
                if ((p & 1) == 0)
                {
                    evenDy = evenDy + value;
                    evenXhat = Float32.Fma(value, xhat, evenXhat);
                }
                else
                {
                    oddDy = oddDy + value;
                    oddXhat = Float32.Fma(value, xhat, oddXhat);
                }
            }

            totalDy = totalDy + (evenDy + oddDy);
            totalDyXhat = totalDyXhat + (evenXhat + oddXhat);
        }

        sumsDy[i] = totalDy;
        sumsDyXhat[i] = totalDyXhat;
    }

    /// <summary>Σ(x − shift) of a chunk.</summary>
    private static Float32 Deviations(ArrayView<Float32> x, int at, int pixels, Float32 shift)
    {
        Float32 a = Float32.Zero, b = Float32.Zero, c = Float32.Zero, d = Float32.Zero;
        int p = 0;
        for (; p + 4 <= pixels; p += 4, at += 32)
        {
            a = a + (x[at] - shift);
            b = b + (x[at + 8] - shift);
            c = c + (x[at + 16] - shift);
            d = d + (x[at + 24] - shift);
        }

        for (; p < pixels; p++, at += 8)
        {
            a = a + (x[at] - shift);
        }

        return (a + b) + (c + d);
    }

    /// <summary>Σ((x − high) − low)² of a chunk.</summary>
    private static Float32 Squares(ArrayView<Float32> x, int at, int pixels, Float32 high, Float32 low)
    {
        Float32 a = Float32.Zero, b = Float32.Zero, c = Float32.Zero, d = Float32.Zero;
        int p = 0;
        for (; p + 4 <= pixels; p += 4, at += 32)
        {
            a = Square((x[at] - high) - low, a);
            b = Square((x[at + 8] - high) - low, b);
            c = Square((x[at + 16] - high) - low, c);
            d = Square((x[at + 24] - high) - low, d);
        }

        for (; p < pixels; p++, at += 8)
        {
            a = Square((x[at] - high) - low, a);
        }

        return (a + b) + (c + d);
    }

    private static Float32 Square(Float32 deviation, Float32 sum) => Float32.Fma(deviation, deviation, sum);
}
