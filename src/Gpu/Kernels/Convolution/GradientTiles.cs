using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// What <see cref="GradientProducts"/> computes, with the same order of every sum, by groups of 64 threads as in <see cref="GatheredTiles"/>. A group makes
/// 64 pairs of a tap and a channel × 64 filters; eight strips of pairs are 8 channels of a block under one tap. It goes through the units of a
/// shard 8 at a time, and never through the end of a run.
/// </summary>
internal static class GradientTiles
{
    /// <summary>Of a group.</summary>
    public const int Threads = 64;

    /// <summary>Strips of pairs of a group.</summary>
    public const int Strips = 8;

    /// <summary>Filters of a group.</summary>
    public const int Side = 64;

    /// <summary>Vectors from one unit to the next: one more than the pairs need, so that the units' stores go to different banks.</summary>
    private const int Pitch = Side / 4 + 1;

    private const int Stage = 8 * Pitch;

    /// <summary>Groups are (shard, batch, strips / 8, filters / 64).</summary>
    /// <inheritdoc cref="GradientProducts.Channels"/>
    public static void Products(
        ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, ArrayView<int> runs, ArrayView<int> shards,
        GradientGrid grid)
    {
        ArrayView<Float32x4> left = SharedMemory.Allocate<Float32x4>(2 * Stage);
        ArrayView<Float32x4> right = SharedMemory.Allocate<Float32x4>(2 * Stage);
        int thread = Group.IdxX;
        int columns = (grid.Filters + Side - 1) / Side;
        int rows = (grid.StripCount + Strips - 1) / Strips;
        int firstFilter = Grid.IdxX % columns * Side;
        int firstStrip = Grid.IdxX / columns % rows * Strips;
        int batch = Grid.IdxX / columns / rows % grid.Batches;
        int shard = grid.FirstShard + Grid.IdxX / columns / rows / grid.Batches;
        int sumsOfBatch = (shard - grid.FirstShard) * grid.ShardStep + batch * grid.SumStep;

        // This thread brings one unit of a strip, and of 8 filters.
        int lane = thread % 8;
        int at = lane * Pitch + thread / 8 * 2;
        int strip = firstStrip + thread / 8;
        int filter = firstFilter + thread / 8 * 8;

        int m = thread / 8;
        int n = thread % 8;
        int begin = shards[shard];
        int run = IntrinsicMath.Max(begin, grid.FirstRun);
        int endRun = IntrinsicMath.Min(shards[shard + 1], grid.EndRun);
        Quad low = default, lowHigh = default, highLow = default, high = default;
        Quad sumLow = default, sumLowHigh = default, sumHighLow = default, sumHigh = default;
        if (run > begin)
        {
            sumLow = LoadQuad(sums, taps, sumsOfBatch, firstStrip, 4 * m, firstFilter + 4 * n, grid);
            sumLowHigh = LoadQuad(sums, taps, sumsOfBatch, firstStrip, 4 * m, firstFilter + 32 + 4 * n, grid);
            sumHighLow = LoadQuad(sums, taps, sumsOfBatch, firstStrip, 32 + 4 * m, firstFilter + 4 * n, grid);
            sumHigh = LoadQuad(sums, taps, sumsOfBatch, firstStrip, 32 + 4 * m, firstFilter + 32 + 4 * n, grid);
        }

        int unit = runs[run];
        int end = run < endRun ? runs[run + 1] : unit;
        int current = 0;
        if (run < endRun)
        {
            StoreLanes(left, at, Source(x, taps, batch, strip, unit + lane, end, grid));
            StoreLanes(right, at, Gradient(dy, batch, filter, unit + lane, end, grid));
        }

        Group.Barrier();
        while (run < endRun)
        {
            int depth = IntrinsicMath.Min(8, end - unit);
            bool first = run == begin && grid.AddsToZero == 0;
            unit += depth;
            bool complete = unit == end;
            if (complete)
            {
                run++;
                end = run < endRun ? runs[run + 1] : end;
            }

            bool more = run < endRun;
            Lanes nextLeft = more ? Source(x, taps, batch, strip, unit + lane, end, grid) : default;
            Lanes nextRight = more ? Gradient(dy, batch, filter, unit + lane, end, grid) : default;
            for (int k = 0; k < depth; k++)
            {
                int line = current + k * Pitch;
                Float32x4 x0 = left[line + m];
                Float32x4 x1 = left[line + 8 + m];
                Float32x4 d0 = right[line + n];
                Float32x4 d1 = right[line + 8 + n];
                low = Quad.Fma(x0, d0, low);
                lowHigh = Quad.Fma(x0, d1, lowHigh);
                highLow = Quad.Fma(x1, d0, highLow);
                high = Quad.Fma(x1, d1, high);
            }

            if (complete)
            {
                sumLow = first ? low : sumLow + low;
                sumLowHigh = first ? lowHigh : sumLowHigh + lowHigh;
                sumHighLow = first ? highLow : sumHighLow + highLow;
                sumHigh = first ? high : sumHigh + high;
                low = default;
                lowHigh = default;
                highLow = default;
                high = default;
            }

            current = Stage - current;
            if (more)
            {
                StoreLanes(left, current + at, nextLeft);
                StoreLanes(right, current + at, nextRight);
            }

            Group.Barrier();
        }

        StoreQuad(sums, sumLow, taps, sumsOfBatch, firstStrip, 4 * m, firstFilter + 4 * n, grid);
        StoreQuad(sums, sumLowHigh, taps, sumsOfBatch, firstStrip, 4 * m, firstFilter + 32 + 4 * n, grid);
        StoreQuad(sums, sumHighLow, taps, sumsOfBatch, firstStrip, 32 + 4 * m, firstFilter + 4 * n, grid);
        StoreQuad(sums, sumHigh, taps, sumsOfBatch, firstStrip, 32 + 4 * m, firstFilter + 32 + 4 * n, grid);
    }

    /// <summary>A strip's channels of the pixel under its tap, or zeros.</summary>
    private static Lanes Source(ArrayView<Float32> x, ArrayView<int> taps, int batch, int strip, int unit, int end, GradientGrid grid)
    {
        Lanes lanes = default;
        if (strip < grid.StripCount && unit < end)
        {
            int place = (unit - grid.FirstUnit) % (grid.Height * grid.Width);
            int sample = (unit - grid.FirstUnit) / (grid.Height * grid.Width);
            int tap = strip % grid.TapCount;
            int sy = grid.BaseY + place / grid.Width * grid.StepY + taps[3 * tap];
            int sx = grid.BaseX + place % grid.Width * grid.StepX + taps[3 * tap + 1];
            if (sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth)
            {
                int at = batch * grid.SourceStep + sample * grid.SourceStride + (sy * grid.SourceWidth + sx) * 8;
                lanes = Channels(
                    x, at, batch * grid.ChannelStep, strip / grid.TapCount * 8, grid.Channels, grid.SourceHeight * grid.SourceWidth, grid);
            }
        }

        return lanes;
    }

    private static Lanes Gradient(ArrayView<Float32> dy, int batch, int filter, int unit, int end, GradientGrid grid)
    {
        Lanes lanes = default;
        if (filter < grid.Filters && unit < end)
        {
            int area = grid.Height * grid.Width;
            int place = (unit - grid.FirstUnit) % area;
            int at = batch * grid.GradientStep + (unit - grid.FirstUnit) / area * grid.GradientStride + place * 8;
            lanes = Channels(dy, at, batch * grid.FilterStep, filter, grid.Filters, area, grid);
        }

        return lanes;
    }

    private static Lanes Channels(ArrayView<Float32> values, int at, int first, int channel, int channels, int area, GradientGrid grid) =>
        grid.IsAligned != 0
            ? Lanes.Load(values, at + ChannelBlocks.Offset(first + channel, area))
            : Lanes.LoadChannels(values, at, first + channel, channels - channel, area);

    private static void StoreLanes(ArrayView<Float32x4> shared, int at, Lanes lanes)
    {
        shared[at] = lanes.Low;
        shared[at + 1] = lanes.High;
    }

    /// <summary>Where the sum of a pair with filter 0 lies, or −1 where there is no such pair.</summary>
    /// <param name="pair">Of the group: 8 for each strip.</param>
    private static int Place(ArrayView<int> taps, int sumsOfBatch, int firstStrip, int pair, GradientGrid grid)
    {
        int strip = firstStrip + pair / 8;
        int channel = strip / grid.TapCount * 8 + pair % 8;
        int place = -1;
        if (channel < grid.Channels)
        {
            place = sumsOfBatch + channel * grid.SumOfChannel + taps[3 * (strip % grid.TapCount) + 2] * grid.SumOfTap;
        }

        return place;
    }

    private static Quad LoadQuad(
        ArrayView<Float32> sums, ArrayView<int> taps, int sumsOfBatch, int firstStrip, int pair, int filter, GradientGrid grid)
    {
        Quad quad = default;
        quad.R0 = LoadRow(sums, Place(taps, sumsOfBatch, firstStrip, pair, grid), filter, grid);
        quad.R1 = LoadRow(sums, Place(taps, sumsOfBatch, firstStrip, pair + 1, grid), filter, grid);
        quad.R2 = LoadRow(sums, Place(taps, sumsOfBatch, firstStrip, pair + 2, grid), filter, grid);
        quad.R3 = LoadRow(sums, Place(taps, sumsOfBatch, firstStrip, pair + 3, grid), filter, grid);
        return quad;
    }

    private static Float32x4 LoadRow(ArrayView<Float32> sums, int place, int filter, GradientGrid grid)
    {
        Float32x4 row = default;
        row.X = Sum(sums, place, filter, grid);
        row.Y = Sum(sums, place, filter + 1, grid);
        row.Z = Sum(sums, place, filter + 2, grid);
        row.W = Sum(sums, place, filter + 3, grid);
        return row;
    }

    private static Float32 Sum(ArrayView<Float32> sums, int place, int filter, GradientGrid grid) =>
        place >= 0 && filter < grid.Filters ? sums[place + filter * grid.SumOfFilter] : Float32.Zero;

    private static void StoreQuad(
        ArrayView<Float32> sums, Quad quad, ArrayView<int> taps, int sumsOfBatch, int firstStrip, int pair, int filter, GradientGrid grid)
    {
        StoreRow(sums, quad.R0, Place(taps, sumsOfBatch, firstStrip, pair, grid), filter, grid);
        StoreRow(sums, quad.R1, Place(taps, sumsOfBatch, firstStrip, pair + 1, grid), filter, grid);
        StoreRow(sums, quad.R2, Place(taps, sumsOfBatch, firstStrip, pair + 2, grid), filter, grid);
        StoreRow(sums, quad.R3, Place(taps, sumsOfBatch, firstStrip, pair + 3, grid), filter, grid);
    }

    private static void StoreRow(ArrayView<Float32> sums, Float32x4 row, int place, int filter, GradientGrid grid)
    {
        if (place >= 0)
        {
            StoreSum(sums, row.X, place, filter, grid);
            StoreSum(sums, row.Y, place, filter + 1, grid);
            StoreSum(sums, row.Z, place, filter + 2, grid);
            StoreSum(sums, row.W, place, filter + 3, grid);
        }
    }

    private static void StoreSum(ArrayView<Float32> sums, Float32 value, int place, int filter, GradientGrid grid)
    {
        if (filter < grid.Filters)
        {
            sums[place + filter * grid.SumOfFilter] = value;
        }
    }
}
