using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Pooling;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="MaxPool"/> on a device; nothing where a batch norm has pooled within its pass.</summary>
internal sealed class DeviceMaxPool : DeviceLayer
{
    private readonly MaxPool _pool;
    private readonly PoolWindows _windows;
    private readonly DeviceBuffer<int> _taps;
    private DeviceTensor? _y;
    private DeviceTensor? _dx;
    private bool _wasApplied;

    public DeviceMaxPool(KernelDevice device, MaxPool pool)
        : base(device, pool)
    {
        (_pool, _taps) = (pool, NewBuffer<int>("places of the largest values"));
        (Window rows, Window columns) = pool.Windows!.Value;
        _windows = new PoolWindows(rows, columns);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _wasApplied = _pool.AppliedBy is { } norm && DeviceBatchNorm.Pools(norm, step);
        if (_wasApplied)
        {
            return x;
        }

        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        _taps.Reserve(y.View.Length);
        Device.Run(PoolingKernels.MaxForward, step.Samples * y.SampleStride, x.View, y.View, _taps.View, _windows);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        if (_wasApplied || !needsInputGradient)
        {
            return needsInputGradient ? dy : null;
        }

        DeviceTensor dx = Reserve(ref _dx, Input, dy.Capacity);
        Device.Run(PoolingKernels.MaxBackward, step.Samples * dx.SampleStride, dy.View, _taps.View, dx.View, _windows);
        return dx;
    }
}
