using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>A depthwise convolution: each channel has its own filter, whose sum runs from the bias over the taps, as in the engine's DepthwiseKernel.</summary>
internal static class DepthwiseProducts
{
    /// <summary>Items are (channels / 8, pixel, 8): one output value each.</summary>
    /// <param name="weights">(tap, channel).</param>
    /// <param name="bias">One for each channel, or of length 1 for none.</param>
    /// <param name="taps">As in <see cref="GatheredProducts.Pixels"/>.</param>
    public static void Values(
        Index1D i, ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<int> taps,
        ArrayView<Float32> destination, GatherGrid grid)
    {
        int pixel = i / 8 % grid.Pixels;
        int channel = i / 8 / grid.Pixels * 8 + i % 8;
        if (channel >= grid.Filters)
        {
            return;
        }

        int y = GatherIndex.SourceY(grid, pixel);
        int x = GatherIndex.SourceX(grid, pixel);
        int sample = GatherIndex.SourceSample(grid, pixel) + ChannelBlocks.Offset(channel, grid.SourceHeight * grid.SourceWidth);
        Float32 sum = bias.IntLength > 1 ? bias[channel] : Float32.Zero;
        for (int t = 0; t < grid.TapCount; t++)
        {
            int sy = y + taps[3 * t];
            int sx = x + taps[3 * t + 1];
            bool inside = sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth;
            Float32 value = inside ? source[sample + (sy * grid.SourceWidth + sx) * 8] : Float32.Zero;
            sum = Float32.Fma(value, weights[taps[3 * t + 2] * grid.WeightLine + channel], sum);
        }

        destination[GatherIndex.Destination(grid, pixel) + ChannelBlocks.Offset(channel, grid.DestinationArea)] = sum;
    }
}
