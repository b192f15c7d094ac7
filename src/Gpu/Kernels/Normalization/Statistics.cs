using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// Sums over the pixels of one sample's channel, in the orders of the engine's FastNormalization: in float over chunks of 64 pixels, in interleaved
/// parts, and in double over the chunks. An item is a lane of a plane, the 8 channels of a block of a sample, unless said otherwise.
/// <code>
/// moments, four parts:      a: 0 4 8 ... and what is left after whole fours    b: 1 5 9 ...    c: 2 6 10 ...    d: 3 7 11 ...    (a + b) + (c + d)
/// backward sums, two parts: a: 0 2 4 ... and what is left after whole pairs    b: 1 3 5 ...                                      a + b
/// </code>
/// </summary>
internal static class Statistics
{
    /// <summary>Pixels of a chunk.</summary>
    private const int Chunk = 64;

    /// <summary>Mean and Σ(x − mean)² in two passes, about the first pixel, of planes of one chunk.</summary>
    public static void Moments(Index1D i, ArrayView<Float32> x, ArrayView<Float64> means, ArrayView<Float64> m2s, int area)
    {
        int at = (i >> 3) * area * 8 + (i & 7);
        Float64 mean = Mean(x[at], Float64.Zero + Deviations(x, at, area, x[at]), area);
        var high = (Float32)mean;
        means[i] = mean;
        m2s[i] = Float64.Zero + Squares(x, at, area, high, (Float32)(mean - high));
    }

    /// <summary>Σ(x − first pixel) of each chunk. An item is a lane of a chunk of a plane.</summary>
    /// <param name="parts">(planes, chunks, 8), as of all kernels here.</param>
    public static void ChunkDeviations(Index1D i, ArrayView<Float32> x, ArrayView<Float32> parts, int area, int chunks)
    {
        int plane = (i >> 3) / chunks;
        int first = ((i >> 3) - plane * chunks) * Chunk;
        int at = plane * area * 8 + (i & 7);
        parts[i] = Deviations(x, at + first * 8, IntrinsicMath.Min(Chunk, area - first), x[at]);
    }

    /// <summary>The mean from the chunks' deviations.</summary>
    public static void Means(Index1D i, ArrayView<Float32> x, ArrayView<Float32> parts, ArrayView<Float64> means, int area, int chunks) =>
        means[i] = Mean(x[(i >> 3) * area * 8 + (i & 7)], Total(parts, i, chunks), area);

    /// <summary>Σ(x − mean)² of each chunk. An item is a lane of a chunk of a plane.</summary>
    public static void ChunkSquares(Index1D i, ArrayView<Float32> x, ArrayView<Float64> means, ArrayView<Float32> parts, int area, int chunks)
    {
        int plane = (i >> 3) / chunks;
        int first = ((i >> 3) - plane * chunks) * Chunk;
        Float64 mean = means[plane * 8 + (i & 7)];
        var high = (Float32)mean;
        parts[i] = Squares(
            x, (plane * area + first) * 8 + (i & 7), IntrinsicMath.Min(Chunk, area - first), high, (Float32)(mean - high));
    }

    /// <summary>The sum over the chunks.</summary>
    public static void Totals(Index1D i, ArrayView<Float32> parts, ArrayView<Float64> sums, int chunks) => sums[i] = Total(parts, i, chunks);

    /// <summary>
    /// Σdy and Σdy·x̂ of each chunk, with dy masked by the ReLU that follows if <paramref name="relu"/> is not 0. An item is a lane of a chunk of a
    /// plane.
    /// </summary>
    public static void ChunkBackwardSums(
        Index1D i,
        ArrayView<Float32> x,
        ArrayView<Float32> dy,
        NormViews norm,
        ArrayView<Float32> partsDy,
        ArrayView<Float32> partsDyXhat,
        int area,
        int relu)
    {
        int chunks = Chunks(area);
        int plane = (i >> 3) / chunks;
        int first = ((i >> 3) - plane * chunks) * Chunk;
        int pixels = IntrinsicMath.Min(Chunk, area - first);
        int at = (plane * area + first) * 8 + (i & 7);
        int laneOfAll = plane * 8 + (i & 7);
        int n = laneOfAll / norm.Lanes;
        int lane = laneOfAll - n * norm.Lanes;
        int place = NormPlace.Set(norm.Sets[n], norm.Lanes) + lane;
        Float32 high = norm.Constants[place], low = norm.Constants[place + norm.Lanes], inverse = norm.Constants[place + 2 * norm.Lanes];
        Float32 gamma = norm.Gamma[lane], beta = norm.Beta[lane];
        Float32 evenDy = Float32.Zero, oddDy = Float32.Zero, evenXhat = Float32.Zero, oddXhat = Float32.Zero;
        for (int p = 0; p < pixels; p++, at += 8)
        {
            Float32 xhat = ((x[at] - high) - low) * inverse;
            Float32 value = dy[at];
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

        partsDy[i] = evenDy + oddDy;
        partsDyXhat[i] = evenXhat + oddXhat;
    }

    /// <summary>Chunks of a plane.</summary>
    internal static int Chunks(int area) => (area + Chunk - 1) / Chunk;

    private static Float64 Mean(Float32 shift, Float64 total, int area) => (Float64)shift + total / (Float64)area;

    private static Float64 Total(ArrayView<Float32> parts, int lane, int chunks)
    {
        int at = (lane >> 3) * chunks * 8 + (lane & 7);
        Float64 total = Float64.Zero;
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            total = total + parts[at + chunk * 8];
        }

        return total;
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
