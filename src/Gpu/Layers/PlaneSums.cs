using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>Two doubles per sample and channel in the device's memory, and their leaves over shards; the mirror of <see cref="ChannelSums"/>.</summary>
internal sealed class PlaneSums : IDisposable
{
    private readonly KernelDevice _device;
    private readonly Shape _shape;
    private readonly DeviceBuffer<Float64> _sums;
    private readonly DeviceBuffer<Float32> _parts;
    private int _samples;
    private int _shards;

    public PlaneSums(KernelDevice device, Shape shape)
    {
        (_device, _shape) = (device, shape);
        _sums = new DeviceBuffer<Float64>(device, "sums of normalization");
        _parts = new DeviceBuffer<Float32>(device, "sums of normalization");
        Leaves = new DeviceBuffer<Float64>(device, "sums of normalization");
    }

    /// <summary>Mean, or Σdy: (samples, lanes).</summary>
    public ArrayView<Float64> First => _sums.View.SubView(0, _samples * Lanes);

    /// <summary>M2, or Σdy·x̂.</summary>
    public ArrayView<Float64> Second => _sums.View.SubView(_samples * Lanes, _samples * Lanes);

    /// <summary>The same of shards, the first ones before the second ones: (2, shards, lanes).</summary>
    public DeviceBuffer<Float64> Leaves { get; }

    public ArrayView<Float64> FirstLeaves => Leaves.View.SubView(0, _shards * Lanes);

    public ArrayView<Float64> SecondLeaves => Leaves.View.SubView(_shards * Lanes, _shards * Lanes);

    public int Lanes => _shape.Blocks * 8;

    /// <summary>Mean and M2 of each sample's channels.</summary>
    public void Measure(DeviceTensor x, DeviceStep step)
    {
        Reserve(step);
        int lanes = step.Samples * Lanes;
        int chunks = Statistics.Chunks(_shape.Area);
        if (chunks == 1)
        {
            _device.Run(Statistics.Moments, lanes, x.View, First, Second, _shape.Area);
            return;
        }

        ArrayView<Float32> parts = _parts.Reserve((long)lanes * chunks).View;
        _device.Run(Statistics.ChunkDeviations, lanes * chunks, x.View, parts, _shape.Area, chunks);
        _device.Run(Statistics.Means, lanes, x.View, parts, First, _shape.Area, chunks);
        _device.Run(Statistics.ChunkSquares, lanes * chunks, x.View, First, parts, _shape.Area, chunks);
        _device.Run(Statistics.Totals, lanes, parts, Second, chunks);
    }

    /// <summary>Σdy and Σdy·x̂ of each sample's channels.</summary>
    /// <param name="area">Pixels of x and dy, which may be pooled.</param>
    public void Sum(DeviceTensor x, DeviceTensor dy, NormSets sets, int area, bool relu, DeviceStep step)
    {
        Reserve(step);
        int lanes = step.Samples * Lanes;
        int chunks = Statistics.Chunks(area);
        int parts = checked(lanes * chunks);
        _parts.Reserve(2L * parts);
        ArrayView<Float32> first = _parts.View.SubView(0, parts), second = _parts.View.SubView(parts, parts);
        _device.Run(Statistics.ChunkBackwardSums, parts, x.View, dy.View, sets.Views, first, second, area, relu ? 1 : 0);
        _device.Run(Statistics.Totals, lanes, first, First, chunks);
        _device.Run(Statistics.Totals, lanes, second, Second, chunks);
    }

    /// <summary>Leaves of moments.</summary>
    public void Merge(DeviceStep step)
    {
        ReserveLeaves(step);
        _device.Run(
            ShardStatistics.Merge, _shards * Lanes, First, Second, step.Shards.First, FirstLeaves, SecondLeaves, Lanes, _shape.Area);
    }

    /// <summary>Leaves of sums.</summary>
    public void Total(DeviceStep step)
    {
        ReserveLeaves(step);
        _device.Run(ShardStatistics.Total, 2 * _shards * Lanes, _sums.View, step.Shards.First, Leaves.View, _samples, _shards, Lanes);
    }

    public void Dispose()
    {
        _sums.Dispose();
        _parts.Dispose();
        Leaves.Dispose();
    }

    private void Reserve(DeviceStep step)
    {
        _samples = step.Samples;
        _sums.Reserve(2L * _samples * Lanes);
    }

    private void ReserveLeaves(DeviceStep step)
    {
        _shards = step.Shards.Count;
        Leaves.Reserve(2L * _shards * Lanes);
    }
}
