using ConvNet.Engine.Geometry;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>Where products read the weights of a convolution: (tap, channel that is summed over, channel that results).</summary>
internal readonly record struct PackedFilters(int Outputs, int OutputsPerGroup, int Channels, int Taps, WeightSteps Steps)
{
    /// <summary>Floats from one channel that is summed over to the next.</summary>
    public int Line => (Outputs + 7) / 8 * 8;

    public int Length => checked(Taps * Channels * Line);

    public static PackedFilters Forward(ConvolutionGeometry g) => new(
        g.Output.C, g.FiltersPerGroup, g.ChannelsPerGroup, g.Taps, new WeightSteps(g.FiltersPerGroup * g.FilterCount, g.FilterCount, g.Taps));

    public static PackedFilters BackwardData(ConvolutionGeometry g) => new(
        g.Input.C, g.ChannelsPerGroup, g.FiltersPerGroup, g.Taps, new WeightSteps(g.FiltersPerGroup * g.FilterCount, g.Taps, g.FilterCount));

    public void Pack(KernelDevice device, ArrayView<Float32> weights, ArrayView<Float32> packed) =>
        device.Run(WeightPacking.Pack, Length, weights, packed, Outputs, OutputsPerGroup, Channels, Steps);
}
