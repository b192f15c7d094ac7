using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;

namespace ConvNet.Gpu.Layers;

/// <summary>The statistics of layer, group and instance norm, which stay on the device; the mirror of <see cref="SampleStatistics"/>.</summary>
internal sealed class SampleNorm(KernelDevice device, Shape shape, int groups) : IDisposable
{
    /// <summary>A set for each sample.</summary>
    public NormSets Sets { get; } = new(device, shape);

    public PlaneSums Sums { get; } = new(device, shape);

    /// <summary>The constants of forward.</summary>
    public void Measure(DeviceTensor x, DeviceStep step)
    {
        Sets.Reserve(x.Capacity);
        Sets.Assign([.. Enumerable.Range(0, x.Capacity)]);
        Sums.Measure(x, step);
        device.Run(
            SampleConstants.Forward,
            step.Samples * groups,
            Sums.First,
            Sums.Second,
            Sets.Views.Constants,
            Sets.Lanes,
            groups,
            shape.C / groups,
            shape.Area);
    }

    /// <summary>The backward sums, and the constants of backward.</summary>
    public void Sum(DeviceTensor x, DeviceTensor dy, DeviceStep step)
    {
        Sums.Sum(x, dy, Sets, shape.Area, relu: false, step);
        device.Run(
            SampleConstants.Backward, step.Samples * groups, Sums.First, Sums.Second, Sets.Views, groups, shape.C / groups, shape.Area);
    }

    public void Dispose()
    {
        Sets.Dispose();
        Sums.Dispose();
    }
}
