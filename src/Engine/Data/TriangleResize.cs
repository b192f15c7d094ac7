namespace ConvNet.Engine.Data;

/// <summary>
/// Resizes one plane of bytes with a triangle filter whose support grows with the shrink factor, each axis by itself: the arithmetic of
/// Pillow's <c>BILINEAR</c> (src/libImaging/Resample.c), in integers only. First rows, then columns; coefficients have 22 fractional bits;
/// each of the two passes rounds once. An axis that keeps its length is left alone.
/// </summary>
public static class TriangleResize
{
    private const int FractionBits = 22;

    /// <param name="source">height·width bytes, row by row; at most 2^26.</param>
    /// <param name="destination">newHeight·newWidth bytes, each side 1 … 4096.</param>
    public static void Plane(ReadOnlySpan<byte> source, int height, int width, Span<byte> destination, int newHeight, int newWidth)
    {
        if (width == newWidth)
        {
            Columns(source, height, width, destination, newHeight);
            return;
        }

        if (height == newHeight)
        {
            Rows(source, width, destination, newWidth);
            return;
        }

        byte[] between = new byte[height * newWidth];
        Rows(source, width, between, newWidth);
        Columns(between, height, newWidth, destination, newHeight);
    }

    private static void Rows(ReadOnlySpan<byte> source, int width, Span<byte> destination, int newWidth)
    {
        Taps[] taps = TapsOf(width, newWidth);
        for (int from = 0, to = 0; from < source.Length; from += width, to += newWidth)
        {
            ReadOnlySpan<byte> row = source.Slice(from, width);
            for (int x = 0; x < newWidth; x++)
            {
                int[] weights = taps[x].Weights;
                ReadOnlySpan<byte> pixels = row.Slice(taps[x].First, weights.Length);
                int sum = 1 << (FractionBits - 1);
                for (int i = 0; i < weights.Length; i++)
                {
                    sum += pixels[i] * weights[i];
                }

                destination[to + x] = Clip(sum);
            }
        }
    }

    private static void Columns(ReadOnlySpan<byte> source, int height, int width, Span<byte> destination, int newHeight)
    {
        if (height == newHeight)
        {
            source.CopyTo(destination);
            return;
        }

        Taps[] taps = TapsOf(height, newHeight);
        int[] sums = new int[width];
        for (int y = 0; y < newHeight; y++)
        {
            Array.Fill(sums, 1 << (FractionBits - 1));
            for (int i = 0; i < taps[y].Weights.Length; i++)
            {
                int weight = taps[y].Weights[i];
                ReadOnlySpan<byte> row = source.Slice((taps[y].First + i) * width, width);
                for (int x = 0; x < width; x++)
                {
                    sums[x] += row[x] * weight;
                }
            }

            for (int x = 0; x < width; x++)
            {
                destination[(y * width) + x] = Clip(sums[x]);
            }
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> FractionBits, 0, byte.MaxValue);

    // In units of half an output pixel's share of the input, 1 / (2 · newLength) of an input pixel, all is whole: pixel i has its centre
    // at (2i + 1) · newLength, the output has its own at (2 · at + 1) · length, and the triangle reaches 2 · max(length, newLength) far.
    private static Taps[] TapsOf(int length, int newLength)
    {
        var taps = new Taps[newLength];
        long reach = 2L * Math.Max(length, newLength);
        for (int at = 0; at < newLength; at++)
        {
            long centre = ((2L * at) + 1) * length;
            long Height(long i) => reach - Math.Abs((((2 * i) + 1) * newLength) - centre);
            int first = (int)Math.Max(0, (centre - reach - newLength) / (2L * newLength));
            while (Height(first) <= 0)
            {
                first++;
            }

            int end = first;
            long total = 0;
            for (; end < length && Height(end) > 0; end++)
            {
                total += Height(end);
            }

            int[] weights = new int[end - first];
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = (int)(((Height(first + i) << (FractionBits + 1)) + total) / (2 * total));
            }

            taps[at] = new Taps(first, weights);
        }

        return taps;
    }

    /// <summary>The pixels that make up one output pixel: from <paramref name="First"/>, one weight each, in 2^−22.</summary>
    private readonly record struct Taps(int First, int[] Weights);
}
