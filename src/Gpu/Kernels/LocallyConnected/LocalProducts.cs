using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.LocallyConnected;

/// <summary>A locally connected layer, one value for each item, in the order of sums of the engine's FastLocallyConnected.</summary>
internal static class LocalProducts
{
    /// <summary>Items are (sample, filters / 8, pixel, 8). From the bias, over the taps inside the input, then channels.</summary>
    /// <param name="bias">(K, Ho, Wo), or of length 1 for none.</param>
    public static void Forward(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<Float32> y, int hasBias, LocalGrid grid)
    {
        int pixel = i / 8 % grid.OutputArea;
        int blocks = (grid.Filters + 7) / 8;
        int filter = i / 8 / grid.OutputArea % blocks * 8 + i % 8;
        int sample = i / 8 / grid.OutputArea / blocks;
        if (filter >= grid.Filters)
        {
            return;
        }

        int stride = (grid.Channels + 7) / 8 * grid.InputArea * 8;
        Float32 sum = hasBias != 0 ? bias[filter * grid.OutputArea + pixel] : Float32.Zero;
        for (int tap = 0; tap < grid.Taps; tap++)
        {
            int h = grid.Rows.Position(pixel / grid.Columns.Output, tap / grid.Columns.Kernel);
            int w = grid.Columns.Position(pixel % grid.Columns.Output, tap % grid.Columns.Kernel);
            if (h >= 0 && h < grid.Rows.Input && w >= 0 && w < grid.Columns.Input)
            {
                int source = sample * stride + (h * grid.Columns.Input + w) * 8;
                for (int c = 0; c < grid.Channels; c++)
                {
                    int weight = ((filter * grid.Channels + c) * grid.Taps + tap) * grid.OutputArea + pixel;
                    sum = Float32.Fma(x[source + ChannelBlocks.Offset(c, grid.InputArea)], weights[weight], sum);
                }
            }
        }

        y[i] = sum;
    }

    /// <summary>Items are (sample, channels / 8, pixel, 8). From zero, over the output pixels that read this one, then filters.</summary>
    public static void BackwardData(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> weights, ArrayView<Float32> dx, LocalGrid grid)
    {
        int pixel = i / 8 % grid.InputArea;
        int blocks = (grid.Channels + 7) / 8;
        int channel = i / 8 / grid.InputArea % blocks * 8 + i % 8;
        int sample = i / 8 / grid.InputArea / blocks;
        if (channel >= grid.Channels)
        {
            return;
        }

        Float32 sum = Float32.Zero;
        for (int ho = 0; ho < grid.Rows.Output; ho++)
        {
            // The tap of this output whose row is the pixel's, if there is one.
            int r = pixel / grid.Columns.Input - grid.Rows.Position(ho, 0);
            if (r >= 0 && r % grid.Rows.Dilation == 0 && r / grid.Rows.Dilation < grid.Rows.Kernel)
            {
                sum = AddRow(dy, weights, sum, sample, channel, pixel % grid.Columns.Input, ho, r / grid.Rows.Dilation, grid);
            }
        }

        dx[i] = sum;
    }

    /// <summary>Items are (shard, filter, channel, tap, pixel), which is the order of the leaves: from zero, over the shard's samples.</summary>
    /// <param name="first">For each shard its first sample, and one entry more.</param>
    public static void BackwardWeights(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> leaves, ArrayView<int> first, LocalGrid grid)
    {
        int pixel = i % grid.OutputArea;
        int tap = i / grid.OutputArea % grid.Taps;
        int channel = i / grid.OutputArea / grid.Taps % grid.Channels;
        int filter = i / grid.OutputArea / grid.Taps / grid.Channels % grid.Filters;
        int shard = i / grid.OutputArea / grid.Taps / grid.Channels / grid.Filters;
        int h = grid.Rows.Position(pixel / grid.Columns.Output, tap / grid.Columns.Kernel);
        int w = grid.Columns.Position(pixel % grid.Columns.Output, tap % grid.Columns.Kernel);
        Float32 sum = Float32.Zero;
        if (h >= 0 && h < grid.Rows.Input && w >= 0 && w < grid.Columns.Input)
        {
            int source = (h * grid.Columns.Input + w) * 8 + ChannelBlocks.Offset(channel, grid.InputArea);
            int gradient = pixel * 8 + ChannelBlocks.Offset(filter, grid.OutputArea);
            int sourceStride = (grid.Channels + 7) / 8 * grid.InputArea * 8;
            int gradientStride = (grid.Filters + 7) / 8 * grid.OutputArea * 8;
            for (int n = first[shard]; n < first[shard + 1]; n++)
            {
                sum = Float32.Fma(x[source + n * sourceStride], dy[gradient + n * gradientStride], sum);
            }
        }

        leaves[i] = sum;
    }

    /// <summary>Items are (shard, filter, pixel), which is the order of the leaves: from zero, over the shard's samples.</summary>
    public static void BackwardBias(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> leaves, ArrayView<int> first, LocalGrid grid)
    {
        int pixel = i % grid.OutputArea;
        int filter = i / grid.OutputArea % grid.Filters;
        int shard = i / grid.OutputArea / grid.Filters;
        int gradient = pixel * 8 + ChannelBlocks.Offset(filter, grid.OutputArea);
        int stride = (grid.Filters + 7) / 8 * grid.OutputArea * 8;
        Float32 sum = Float32.Zero;
        for (int n = first[shard]; n < first[shard + 1]; n++)
        {
            sum = sum + dy[gradient + n * stride];
        }

        leaves[i] = sum;
    }

    private static Float32 AddRow(
        ArrayView<Float32> dy, ArrayView<Float32> weights, Float32 sum, int sample, int channel, int w, int ho, int r, LocalGrid grid)
    {
        int stride = (grid.Filters + 7) / 8 * grid.OutputArea * 8;
        for (int wo = 0; wo < grid.Columns.Output; wo++)
        {
            int s = w - grid.Columns.Position(wo, 0);
            if (s >= 0 && s % grid.Columns.Dilation == 0 && s / grid.Columns.Dilation < grid.Columns.Kernel)
            {
                int tap = r * grid.Columns.Kernel + s / grid.Columns.Dilation;
                int pixel = ho * grid.Columns.Output + wo;
                for (int k = 0; k < grid.Filters; k++)
                {
                    int weight = ((k * grid.Channels + channel) * grid.Taps + tap) * grid.OutputArea + pixel;
                    sum = Float32.Fma(dy[sample * stride + pixel * 8 + ChannelBlocks.Offset(k, grid.OutputArea)], weights[weight], sum);
                }
            }
        }

        return sum;
    }
}
