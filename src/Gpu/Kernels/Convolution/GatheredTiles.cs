using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>
/// What <see cref="GatheredProducts"/> computes, with the same order of every sum, by groups of 64 threads. A group makes 64 pixels × 64 filters, and a
/// thread 8 × 8 of them. For each tap of a block of 8 channels the group brings both factors to the memory that it shares, while it
/// multiplies those before; the picture is that of the engine's TileKernel, once for each thread:
/// <code>
///                    8 weights × 64 filters
///                    n       32 + n
///   8 channels  m    low     lowHigh          a thread's four quads of 4 × 4 sums
///   × 64 pixels 32+m highLow high
/// </code>
/// </summary>
internal static class GatheredTiles
{
    /// <summary>Of a group.</summary>
    public const int Threads = 64;

    /// <summary>Pixels, and filters, of a group.</summary>
    public const int Side = 64;

    /// <summary>Floats of one factor that are shared at a time.</summary>
    private const int Stage = 8 * Side;

    /// <summary>Groups are (batch, pixels / 64, filters / 64).</summary>
    /// <inheritdoc cref="GatheredProducts.Pixels"/>
    public static void Products(
        ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<int> taps, ArrayView<Float32> destination,
        GatherGrid grid)
    {
        ArrayView<Float32x4> left = SharedMemory.Allocate<Float32x4>(2 * Stage / 4);
        ArrayView<Float32x4> right = SharedMemory.Allocate<Float32x4>(2 * Stage / 4);
        ArrayView<Float32> leftFloats = left.Cast<Float32>();
        int thread = Group.IdxX;
        int columns = (grid.Filters + Side - 1) / Side;
        int rows = (grid.Pixels + Side - 1) / Side;
        int firstFilter = Grid.IdxX % columns * Side;
        int firstPixel = Grid.IdxX / columns % rows * Side;
        int batch = Grid.IdxX / columns / rows;

        // This thread brings 8 channels of one pixel, and 8 filters of one channel.
        int pixel = IntrinsicMath.Min(firstPixel + thread, grid.Pixels - 1);
        int y = GatherIndex.SourceY(grid, pixel);
        int x = GatherIndex.SourceX(grid, pixel);
        int sample = batch * grid.SourceStep + GatherIndex.SourceSample(grid, pixel);
        int row = thread / 8;
        int column = batch * grid.FilterStep + firstFilter + thread % 8 * 8;

        int m = thread / 8;
        int n = thread % 8;
        Quad low = Quad.Of(Bias(bias, batch, firstFilter + 4 * n, grid));
        Quad lowHigh = Quad.Of(Bias(bias, batch, firstFilter + 32 + 4 * n, grid));
        Quad highLow = low;
        Quad high = lowHigh;

        int channel = 0;
        int tap = 0;
        int current = 0;
        if (grid.TapCount > 0)
        {
            StoreLeft(leftFloats, thread, Source(source, taps, sample, y, x, batch, channel, tap, grid));
            StoreRight(right, thread * 2, Weights(weights, taps, batch, column, row, channel, tap, grid));
        }

        Group.Barrier();
        while (channel < grid.Channels && grid.TapCount > 0)
        {
            int depth = IntrinsicMath.Min(8, grid.Channels - channel);
            tap++;
            if (tap == grid.TapCount)
            {
                tap = 0;
                channel += 8;
            }

            bool more = channel < grid.Channels;
            Lanes nextLeft = more ? Source(source, taps, sample, y, x, batch, channel, tap, grid) : default;
            Lanes nextRight = more ? Weights(weights, taps, batch, column, row, channel, tap, grid) : default;
            for (int k = 0; k < depth; k++)
            {
                int line = current / 4 + k * (Side / 4);
                Float32x4 x0 = left[line + m];
                Float32x4 x1 = left[line + 8 + m];
                Float32x4 w0 = right[line + n];
                Float32x4 w1 = right[line + 8 + n];
                low = Quad.Fma(x0, w0, low);
                lowHigh = Quad.Fma(x0, w1, lowHigh);
                highLow = Quad.Fma(x1, w0, highLow);
                high = Quad.Fma(x1, w1, high);
            }

            current = Stage - current;
            if (more)
            {
                StoreLeft(leftFloats, current + thread, nextLeft);
                StoreRight(right, current / 4 + thread * 2, nextRight);
            }

            Group.Barrier();
        }

        StoreQuad(destination, low, batch, firstPixel + 4 * m, firstFilter + 4 * n, grid);
        StoreQuad(destination, lowHigh, batch, firstPixel + 4 * m, firstFilter + 32 + 4 * n, grid);
        StoreQuad(destination, highLow, batch, firstPixel + 32 + 4 * m, firstFilter + 4 * n, grid);
        StoreQuad(destination, high, batch, firstPixel + 32 + 4 * m, firstFilter + 32 + 4 * n, grid);
    }

    /// <summary>8 channels of the pixel under a tap, or zeros.</summary>
    private static Lanes Source(
        ArrayView<Float32> source, ArrayView<int> taps, int sample, int y, int x, int batch, int channel, int tap, GatherGrid grid)
    {
        int sy = y + taps[3 * tap];
        int sx = x + taps[3 * tap + 1];
        Lanes lanes = default;
        if (sy >= 0 && sy < grid.SourceHeight && sx >= 0 && sx < grid.SourceWidth)
        {
            int area = grid.SourceHeight * grid.SourceWidth;
            int at = sample + (sy * grid.SourceWidth + sx) * 8;
            int first = batch * grid.ChannelStep + channel;
            lanes = grid.IsAligned != 0
                ? Lanes.Load(source, at + ChannelBlocks.Offset(first, area))
                : Lanes.LoadChannels(source, at, first, grid.Channels - channel, area);
        }

        return lanes;
    }

    /// <summary>8 filters of a channel and a tap, zeros beyond the last line and column.</summary>
    private static Lanes Weights(
        ArrayView<Float32> weights, ArrayView<int> taps, int batch, int column, int row, int channel, int tap, GatherGrid grid)
    {
        Lanes lanes = default;
        if (channel + row < grid.Channels && column < grid.WeightLine)
        {
            int line = batch * grid.WeightStep + (taps[3 * tap + 2] * grid.Channels + channel + row) * grid.WeightLine;
            lanes = grid.IsAligned != 0
                ? Lanes.Load(weights, line + column)
                : Lanes.LoadChannels(weights, line, column, grid.WeightLine - column, 1);
        }

        return lanes;
    }

    private static Float32x4 Bias(ArrayView<Float32> bias, int batch, int filter, GatherGrid grid)
    {
        Float32x4 row = default;
        if (bias.IntLength > 1)
        {
            int column = batch * grid.FilterStep + filter;
            int left = grid.Filters - filter;
            row.X = left > 0 ? bias[column] : Float32.Zero;
            row.Y = left > 1 ? bias[column + 1] : Float32.Zero;
            row.Z = left > 2 ? bias[column + 2] : Float32.Zero;
            row.W = left > 3 ? bias[column + 3] : Float32.Zero;
        }

        return row;
    }

    /// <summary>From (pixel, channel) to (channel, pixel).</summary>
    private static void StoreLeft(ArrayView<Float32> shared, int at, Lanes lanes)
    {
        shared[at] = lanes.Low.X;
        shared[at + Side] = lanes.Low.Y;
        shared[at + 2 * Side] = lanes.Low.Z;
        shared[at + 3 * Side] = lanes.Low.W;
        shared[at + 4 * Side] = lanes.High.X;
        shared[at + 5 * Side] = lanes.High.Y;
        shared[at + 6 * Side] = lanes.High.Z;
        shared[at + 7 * Side] = lanes.High.W;
    }

    private static void StoreRight(ArrayView<Float32x4> shared, int at, Lanes lanes)
    {
        shared[at] = lanes.Low;
        shared[at + 1] = lanes.High;
    }

    private static void StoreQuad(ArrayView<Float32> destination, Quad quad, int batch, int pixel, int filter, GatherGrid grid)
    {
        StoreRow(destination, quad.R0, batch, pixel, filter, grid);
        StoreRow(destination, quad.R1, batch, pixel + 1, filter, grid);
        StoreRow(destination, quad.R2, batch, pixel + 2, filter, grid);
        StoreRow(destination, quad.R3, batch, pixel + 3, filter, grid);
    }

    private static void StoreRow(ArrayView<Float32> destination, Float32x4 row, int batch, int pixel, int filter, GatherGrid grid)
    {
        int left = grid.Filters - filter;
        if (pixel < grid.Pixels && left > 0)
        {
            int at = batch * grid.DestinationStep + GatherIndex.Destination(grid, pixel);
            int channel = batch * grid.FilterStep + filter;
            if (grid.IsAligned != 0 && left > 3)
            {
                destination.Cast<Float32x4>()[(at + ChannelBlocks.Offset(channel, grid.DestinationArea)) / 4] = row;
            }
            else
            {
                StoreChannel(destination, row.X, at, channel, 0, left, grid);
                StoreChannel(destination, row.Y, at, channel, 1, left, grid);
                StoreChannel(destination, row.Z, at, channel, 2, left, grid);
                StoreChannel(destination, row.W, at, channel, 3, left, grid);
            }
        }
    }

    private static void StoreChannel(ArrayView<Float32> destination, Float32 value, int at, int channel, int lane, int left, GatherGrid grid)
    {
        if (lane < left)
        {
            destination[at + ChannelBlocks.Offset(channel + lane, grid.DestinationArea)] = value;
        }
    }
}
