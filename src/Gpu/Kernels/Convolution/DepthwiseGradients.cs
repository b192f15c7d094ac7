using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// The gradient of a depthwise convolution's weights: the pixels of a run are summed from zero, one fma each, and the runs added to zero one after the other,
/// as in the engine's DepthwiseGradientPass. What a tap reads beyond the image is a zero, and is multiplied as well.
/// </summary>
internal static class DepthwiseGradients
{
    /// <summary>Items are (run, tap, channel), channels padded to whole blocks: the sum of one run.</summary>
    /// <param name="taps">As in <see cref="GatheredProducts.Pixels"/>.</param>
    /// <param name="runs">The pixel at which each run begins, counted over all samples, and one entry more.</param>
    public static void Runs(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, ArrayView<int> runs, GradientGrid grid)
    {
        int line = (grid.Channels + 7) / 8 * 8;
        int channel = i % line;
        int tap = i / line % grid.TapCount;
        int run = i / line / grid.TapCount;
        int area = grid.Height * grid.Width;
        int source = ChannelBlocks.Offset(channel, grid.SourceHeight * grid.SourceWidth);
        int gradient = ChannelBlocks.Offset(channel, area);
        Float32 sum = Float32.Zero;
        for (int pixel = runs[run]; pixel < runs[run + 1]; pixel++)
        {
            int place = pixel % area;
            int sample = pixel / area;
            int sy = grid.BaseY + place / grid.Width * grid.StepY + taps[3 * tap];
            int sx = grid.BaseX + place % grid.Width * grid.StepX + taps[3 * tap + 1];
            bool inside = sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth;
            Float32 value = inside ? x[source + sample * grid.SourceStride + (sy * grid.SourceWidth + sx) * 8] : Float32.Zero;
            sum = Float32.Fma(value, dy[gradient + sample * grid.GradientStride + place * 8], sum);
        }

        sums[i] = sum;
    }

    /// <summary>Items are (shard, channel, tap), which is the order of the leaves.</summary>
    /// <param name="sums">(run, tap, channel).</param>
    /// <param name="shards">For each shard its first run, and one entry more.</param>
    public static void Leaves(Index1D i, ArrayView<Float32> sums, ArrayView<int> shards, ArrayView<Float32> leaves, int channels, int taps)
    {
        int line = (channels + 7) / 8 * 8;
        int at = i % taps * line + i / taps % channels;
        int shard = i / taps / channels;
        Float32 sum = Float32.Zero;
        for (int run = shards[shard]; run < shards[shard + 1]; run++)
        {
            sum = sum + sums[run * taps * line + at];
        }

        leaves[i] = sum;
    }
}
