using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>Eight floats that a thread carries from memory to the memory of its group.</summary>
internal struct Lanes
{
    public Float32x4 Low, High;

    /// <summary>Side by side from a multiple of 4 on.</summary>
    public static Lanes Load(ArrayView<Float32> values, int at)
    {
        ArrayView<Float32x4> vectors = values.Cast<Float32x4>();
        Lanes lanes = default;
        lanes.Low = vectors[at / 4];
        lanes.High = vectors[at / 4 + 1];
        return lanes;
    }

    /// <summary>Some channels of a pixel, the first <paramref name="count"/> of 8, which may lie in two blocks.</summary>
    /// <param name="pixel">Where its channel 0 lies.</param>
    public static Lanes LoadChannels(ArrayView<Float32> values, int pixel, int channel, int count, int area)
    {
        Lanes lanes = default;
        lanes.Low.X = Channel(values, pixel, channel, 0, count, area);
        lanes.Low.Y = Channel(values, pixel, channel, 1, count, area);
        lanes.Low.Z = Channel(values, pixel, channel, 2, count, area);
        lanes.Low.W = Channel(values, pixel, channel, 3, count, area);
        lanes.High.X = Channel(values, pixel, channel, 4, count, area);
        lanes.High.Y = Channel(values, pixel, channel, 5, count, area);
        lanes.High.Z = Channel(values, pixel, channel, 6, count, area);
        lanes.High.W = Channel(values, pixel, channel, 7, count, area);
        return lanes;
    }

    private static Float32 Channel(ArrayView<Float32> values, int pixel, int channel, int lane, int count, int area) =>
        lane < count ? values[pixel + ChannelBlocks.Offset(channel + lane, area)] : Float32.Zero;
}
