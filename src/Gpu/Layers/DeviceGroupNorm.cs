using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="GroupNorm"/> on a device, and instance norm with it.</summary>
internal sealed class DeviceGroupNorm : DeviceLayer
{
    private readonly GroupNorm _norm;
    private readonly SampleNorm _statistics;
    private readonly DeviceAffineGradients _affine;
    private DeviceTensor _x = null!;
    private DeviceTensor? _y;

    public DeviceGroupNorm(KernelDevice device, GroupNorm norm)
        : base(device, norm)
    {
        _norm = norm;
        _statistics = Own(new SampleNorm(device, Output, norm.Groups));
        _affine = Own(new DeviceAffineGradients(device, norm.Parameters[0], norm.Parameters[1]));
    }

    public override void Load(DeviceStep step) => _statistics.Sets.LoadAffine(_norm.Parameters, step);

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _x = x;
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        _statistics.Measure(x, step);
        Device.Run(Normalizing.Forward, step.Samples * x.SampleStride, x.View, y.View, _statistics.Sets.Views, Output.Area, 0);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        _statistics.Sum(_x, dy, step);
        _statistics.Sums.Total(step);
        _affine.Reduce(_statistics.Sums, step);
        if (!needsInputGradient)
        {
            return null;
        }

        Device.Run(
            Normalizing.Backward, step.Samples * dy.SampleStride, _x.View, dy.View, dy.View, _statistics.Sets.Views, Output.Area, 0);
        return dy;
    }
}
