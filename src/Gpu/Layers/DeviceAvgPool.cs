using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Pooling;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="AvgPool"/> on a device.</summary>
internal sealed class DeviceAvgPool : DeviceLayer
{
    private readonly PoolWindows _windows;
    private DeviceTensor? _y;
    private DeviceTensor? _dx;

    public DeviceAvgPool(KernelDevice device, AvgPool pool)
        : base(device, pool)
    {
        (Window rows, Window columns) = pool.Windows!.Value;
        _windows = new PoolWindows(rows, columns);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(PoolingKernels.AverageForward, step.Samples * y.SampleStride, x.View, y.View, _windows);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        DeviceTensor dx = Reserve(ref _dx, Input, dy.Capacity);
        Device.Run(PoolingKernels.AverageBackward, step.Samples * dx.SampleStride, dy.View, dx.View, _windows);
        return dx;
    }
}
