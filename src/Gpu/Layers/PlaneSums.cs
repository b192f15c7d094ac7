using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary>Two doubles per sample and channel in the device's memory, and their leaves over shards; the mirror of <see cref="ChannelSums"/>.</summary>
internal sealed class PlaneSums : IDisposable
{
    private readonly KernelDevice _device;
    private readonly Shape _shape;

    public PlaneSums(KernelDevice device, Shape shape)
    {
        (_device, _shape) = (device, shape);
        First = new DeviceBuffer<Float64>(device, "sums of normalization");
        Second = new DeviceBuffer<Float64>(device, "sums of normalization");
        FirstLeaves = new DeviceBuffer<Float64>(device, "sums of normalization");
        SecondLeaves = new DeviceBuffer<Float64>(device, "sums of normalization");
    }

    /// <summary>Mean, or Σdy: (samples, lanes).</summary>
    public DeviceBuffer<Float64> First { get; }

    /// <summary>M2, or Σdy·x̂.</summary>
    public DeviceBuffer<Float64> Second { get; }

    /// <summary>The same of shards: (shards, lanes).</summary>
    public DeviceBuffer<Float64> FirstLeaves { get; }

    public DeviceBuffer<Float64> SecondLeaves { get; }

    public int Lanes => _shape.Blocks * 8;

    /// <summary>Mean and M2 of each sample's channels.</summary>
    public void Measure(DeviceTensor x, DeviceStep step)
    {
        Reserve(step);
        _device.Run(Statistics.Moments, step.Samples * Lanes, x.View, First.View, Second.View, _shape.Area);
    }

    /// <summary>Σdy and Σdy·x̂ of each sample's channels.</summary>
    /// <param name="area">Pixels of x and dy, which may be pooled.</param>
    public void Sum(DeviceTensor x, DeviceTensor dy, NormSets sets, int area, bool relu, DeviceStep step)
    {
        Reserve(step);
        _device.Run(
            Statistics.BackwardSums, step.Samples * Lanes, x.View, dy.View, sets.Views, First.View, Second.View, area, relu ? 1 : 0);
    }

    /// <summary>Leaves of moments.</summary>
    public void Merge(DeviceStep step)
    {
        ReserveLeaves(step);
        _device.Run(
            ShardStatistics.Merge,
            step.Shards.Count * Lanes,
            First.View,
            Second.View,
            step.Shards.First,
            FirstLeaves.View,
            SecondLeaves.View,
            Lanes,
            _shape.Area);
    }

    /// <summary>Leaves of sums.</summary>
    public void Total(DeviceStep step)
    {
        ReserveLeaves(step);
        _device.Run(ShardStatistics.Total, step.Shards.Count * Lanes, First.View, step.Shards.First, FirstLeaves.View, Lanes);
        _device.Run(ShardStatistics.Total, step.Shards.Count * Lanes, Second.View, step.Shards.First, SecondLeaves.View, Lanes);
    }

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        FirstLeaves.Dispose();
        SecondLeaves.Dispose();
    }

    private void Reserve(DeviceStep step)
    {
        First.Reserve((long)step.Samples * Lanes);
        Second.Reserve((long)step.Samples * Lanes);
    }

    private void ReserveLeaves(DeviceStep step)
    {
        FirstLeaves.Reserve((long)step.Shards.Count * Lanes);
        SecondLeaves.Reserve((long)step.Shards.Count * Lanes);
    }
}
