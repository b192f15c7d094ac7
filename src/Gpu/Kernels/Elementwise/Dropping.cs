using ConvNet.Engine.Numerics;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Elementwise;

/// <summary>Dropout, whose mask is drawn anew in backward: it is a function of seed, step, layer, sample and element.</summary>
internal static class Dropping
{
    /// <summary>y = x·mask, where the mask is the scale or 0, also for values that are not finite. x and y may be the same.</summary>
    /// <param name="counters">The step, then for each sample its index in the data set: in memory, so that each step launches with the same arguments.</param>
    public static void Multiply(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, ArrayView<int> counters, DroppingKey key)
    {
        int n = i / key.Stride;
        int place = i - n * key.Stride;
        int pixel = (place >> 3) % key.Area;
        int channel = place / (8 * key.Area) * 8 + (place & 7);
        Float32 mask = channel < key.Channels ? Mask(key, counters[0], counters[n + 1], channel * key.Area + pixel) : Float32.Zero;
        y[i] = x[i] * mask;
    }

    /// <summary>Four elements share a block of random numbers.</summary>
    private static Float32 Mask(DroppingKey key, int step, int sample, int element)
    {
        (uint x0, uint x1, uint x2, uint x3) = Philox.Block(
            key.SeedLow, key.SeedHigh, (uint)(element >> 2), (uint)sample, (uint)step, key.Tag);
        int which = element & 3;
        uint number = which == 0 ? x0 : which == 1 ? x1 : which == 2 ? x2 : x3;
        return number < key.DropBelow ? Float32.Zero : new Float32(key.Scale);
    }
}
