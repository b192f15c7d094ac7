using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Elementwise;

/// <summary>Between (C/8, H, W, 8) and a flat C·H·W, whose blocks of 8 are consecutive values. An item is a value of the flat side, padding included.</summary>
internal static class Flattening
{
    /// <param name="stride">Floats of a sample of y; of which <paramref name="count"/> are values.</param>
    /// <param name="xStride">Floats of a sample of x.</param>
    public static void Flatten(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, int stride, int count, int area, int xStride)
    {
        int n = i / stride;
        int value = i - n * stride;
        y[i] = value < count ? x[n * xStride + Place(value, area)] : Float32.Zero;
    }

    /// <summary>The inverse; an item is a value of the blocked side, whose lanes past the last channel become zero.</summary>
    /// <param name="stride">Floats of a sample of dx.</param>
    /// <param name="flatStride">Floats of a sample of dy.</param>
    public static void Unflatten(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> dx, int stride, int channels, int area, int flatStride)
    {
        int n = i / stride;
        int place = i - n * stride;
        int pixel = (place >> 3) % area;
        int channel = place / (8 * area) * 8 + (place & 7);
        dx[i] = channel < channels ? dy[n * flatStride + channel * area + pixel] : Float32.Zero;
    }

    private static int Place(int value, int area)
    {
        int channel = value / area;
        return ((channel >> 3) * area + value - channel * area) * 8 + (channel & 7);
    }
}
