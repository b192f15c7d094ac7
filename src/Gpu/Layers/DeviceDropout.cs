using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Elementwise;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="Dropout"/> on a device; nothing in evaluation.</summary>
internal sealed class DeviceDropout : DeviceLayer
{
    private readonly Dropout _dropout;
    private readonly DeviceBuffer<int> _counters;
    private DroppingKey _key;
    private DeviceTensor? _y;

    public DeviceDropout(KernelDevice device, Dropout dropout)
        : base(device, dropout) => (_dropout, _counters) = (dropout, NewBuffer<int>("counters of random numbers"));

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        if (!step.Training)
        {
            return x;
        }

        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        _counters.Reserve(1 + x.Capacity).Upload([(int)checked((uint)step.Step), .. step.SampleIndices.AsSpan(0, step.Samples)]);
        _key = new DroppingKey(step.Seed, _dropout.Index, _dropout.DropBelow, _dropout.Scale, Output);
        Device.Run(Dropping.Multiply, step.Samples * x.SampleStride, x.View, y.View, _counters.View, _key);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        Device.Run(Dropping.Multiply, step.Samples * dy.SampleStride, dy.View, dy.View, _counters.View, _key);
        return dy;
    }
}
