using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// The gradient of one weight over one shard for each item. Units are summed in runs, each from zero with one fma a unit, and the runs added one after
/// the other: the order of the engine's GradientKernel. What a tap reads beyond the image is a zero, and is multiplied as well.
/// </summary>
internal static class GradientProducts
{
    /// <summary>Items are (shard, batch, channel, tap, filter).</summary>
    /// <param name="sums">By shard and the steps of the grid; a shard that has begun before the first run goes on from its sum.</param>
    /// <param name="taps">As in <see cref="GatheredProducts.Values"/>; the place says where the sum goes.</param>
    /// <param name="runs">The unit at which each run begins; the run before the last entry ends there.</param>
    /// <param name="shards">For each shard its first run, and one entry more.</param>
    public static void Values(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, ArrayView<int> runs,
        ArrayView<int> shards, GradientGrid grid)
    {
        int filter = i % grid.Filters;
        int tap = i / grid.Filters % grid.TapCount;
        int channel = i / grid.Filters / grid.TapCount % grid.Channels;
        int batch = i / grid.Filters / grid.TapCount / grid.Channels % grid.Batches;
        int shard = grid.FirstShard + i / grid.Filters / grid.TapCount / grid.Channels / grid.Batches;
        int at = (shard - grid.FirstShard) * grid.ShardStep + batch * grid.SumStep
            + filter * grid.SumOfFilter + channel * grid.SumOfChannel + taps[3 * tap + 2] * grid.SumOfTap;
        int source = batch * grid.SourceStep + GatherIndex.Channel(batch * grid.ChannelStep + channel, grid.SourceHeight * grid.SourceWidth);
        int gradient = batch * grid.GradientStep + GatherIndex.Channel(batch * grid.FilterStep + filter, grid.Height * grid.Width);
        int begin = shards[shard];
        int run = IntrinsicMath.Max(begin, grid.FirstRun);
        int end = IntrinsicMath.Min(shards[shard + 1], grid.EndRun);
        Float32 sum = run > begin ? sums[at] : Float32.Zero;
        for (; run < end; run++)
        {
            Float32 part = Run(x, dy, source, gradient, taps[3 * tap], taps[3 * tap + 1], runs[run], runs[run + 1], grid);
            sum = run == begin && grid.AddsToZero == 0 ? part : sum + part;
        }

        sums[at] = sum;
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
