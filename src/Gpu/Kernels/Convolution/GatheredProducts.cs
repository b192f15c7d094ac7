using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// Products that are summed over taps and channels. A sum starts from the bias and runs over blocks of 8 channels, then taps, then channels of the block, one
/// fma each: the order of the engine's TileKernel. What a tap reads beyond the image is a zero, and is multiplied as well. This is the plain
/// form, for the emulated device, where an item costs more than its sums; <see cref="GatheredTiles"/> is that for a GPU.
/// </summary>
internal static class GatheredProducts
{
    /// <summary>Items are (batch, pixel): all filters of the batch.</summary>
    /// <param name="weights">(tap, channel, filter), filters padded with zeros.</param>
    /// <param name="bias">One for each filter, or of length 1 for none.</param>
    /// <param name="taps">For each tap a shift in rows, one in columns, and its place among the weights.</param>
    public static void Pixels(
        Index1D i, ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<int> taps,
        ArrayView<Float32> destination, GatherGrid grid)
    {
        int pixel = i % grid.Pixels;
        int batch = i / grid.Pixels;
        int target = batch * grid.DestinationStep + GatherIndex.Destination(grid, pixel);
        for (int filter = 0; filter < grid.Filters; filter++)
        {
            int column = batch * grid.FilterStep + filter;
            Float32 start = bias.IntLength > 1 ? bias[column] : Float32.Zero;
            destination[target + ChannelBlocks.Offset(column, grid.DestinationArea)] = Sum(source, weights, taps, start, pixel, batch, column, grid);
        }
    }

    private static Float32 Sum(
        ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<int> taps, Float32 sum, int pixel, int batch, int column, GatherGrid grid)
    {
        int area = grid.SourceHeight * grid.SourceWidth;
        int y = GatherIndex.SourceY(grid, pixel);
        int x = GatherIndex.SourceX(grid, pixel);
        int sample = batch * grid.SourceStep + GatherIndex.SourceSample(grid, pixel);
        for (int first = 0; first < grid.Channels; first += 8)
        {
            int end = IntrinsicMath.Min(first + 8, grid.Channels);
            for (int t = 0; t < grid.TapCount; t++)
            {
                int sy = y + taps[3 * t];
                int sx = x + taps[3 * t + 1];
                bool inside = sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth;
                int at = sample + (sy * grid.SourceWidth + sx) * 8;
                int weight = batch * grid.WeightStep + taps[3 * t + 2] * grid.Channels * grid.WeightLine + column;
                for (int c = first; c < end; c++)
                {
                    Float32 value = inside ? source[at + ChannelBlocks.Offset(batch * grid.ChannelStep + c, area)] : Float32.Zero;
                    sum = Float32.Fma(value, weights[weight + c * grid.WeightLine], sum);
                }
            }
        }

        return sum;
    }
}
