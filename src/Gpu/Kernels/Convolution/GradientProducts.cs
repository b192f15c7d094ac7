using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// Products that are summed over units, in runs: each from zero with one fma a unit, and the runs added one after the other, which is the order of the
/// engine's GradientKernel. What a tap reads beyond the image is a zero, and is multiplied as well. This is the plain form, for the
/// emulated device, where an item costs more than its sums; <see cref="GradientTiles"/> is that for a GPU.
/// </summary>
internal static class GradientProducts
{
    /// <summary>Items are (shard, batch, channel): the gradients of all filters and taps over one shard.</summary>
    /// <param name="sums">By shard and the steps of the grid; a shard that has begun before the first run goes on from its sum.</param>
    /// <param name="taps">As in <see cref="GatheredProducts.Pixels"/>; the place says where the sum goes.</param>
    /// <param name="runs">The unit at which each run begins; the run before the last entry ends there.</param>
    /// <param name="shards">For each shard its first run, and one entry more.</param>
    public static void Channels(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, ArrayView<int> runs,
        ArrayView<int> shards, GradientGrid grid)
    {
        int channel = i % grid.Channels;
        int batch = i / grid.Channels % grid.Batches;
        int shard = grid.FirstShard + i / grid.Channels / grid.Batches;
        int source = batch * grid.SourceStep + ChannelBlocks.Offset(batch * grid.ChannelStep + channel, grid.SourceHeight * grid.SourceWidth);
        int first = (shard - grid.FirstShard) * grid.ShardStep + batch * grid.SumStep + channel * grid.SumOfChannel;
        for (int filter = 0; filter < grid.Filters; filter++)
        {
            int gradient = batch * grid.GradientStep + ChannelBlocks.Offset(batch * grid.FilterStep + filter, grid.Height * grid.Width);
            for (int tap = 0; tap < grid.TapCount; tap++)
            {
                int at = first + filter * grid.SumOfFilter + taps[3 * tap + 2] * grid.SumOfTap;
                sums[at] = Sum(x, dy, sums[at], source, gradient, taps[3 * tap], taps[3 * tap + 1], runs, shards, shard, grid);
            }
        }
    }

    private static Float32 Sum(
        ArrayView<Float32> x, ArrayView<Float32> dy, Float32 before, int source, int gradient, int shiftY, int shiftX, ArrayView<int> runs,
        ArrayView<int> shards, int shard, GradientGrid grid)
    {
        int begin = shards[shard];
        int run = IntrinsicMath.Max(begin, grid.FirstRun);
        int end = IntrinsicMath.Min(shards[shard + 1], grid.EndRun);
        Float32 sum = run > begin ? before : Float32.Zero;
        for (; run < end; run++)
        {
            Float32 part = Run(x, dy, source, gradient, shiftY, shiftX, runs[run], runs[run + 1], grid);
            sum = run == begin && grid.AddsToZero == 0 ? part : sum + part;
        }

        return sum;
    }

    private static Float32 Run(
        ArrayView<Float32> x, ArrayView<Float32> dy, int source, int gradient, int shiftY, int shiftX, int unit, int end, GradientGrid grid)
    {
        int area = grid.Height * grid.Width;
        Float32 sum = Float32.Zero;
        for (; unit < end; unit++)
        {
            int place = (unit - grid.FirstUnit) % area;
            int sample = (unit - grid.FirstUnit) / area;
            int sy = grid.BaseY + place / grid.Width * grid.StepY + shiftY;
            int sx = grid.BaseX + place % grid.Width * grid.StepX + shiftX;
            bool inside = sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth;
            Float32 value = inside ? x[source + sample * grid.SourceStride + (sy * grid.SourceWidth + sx) * 8] : Float32.Zero;
            sum = Float32.Fma(value, dy[gradient + sample * grid.GradientStride + place * 8], sum);
        }

        return sum;
    }
}
