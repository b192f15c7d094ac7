using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Elementwise;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="ReLU"/> on a device; nothing where the batch norm before it has applied it.</summary>
internal sealed class DeviceReLU(KernelDevice device, ReLU relu) : DeviceLayer(device, relu)
{
    private DeviceTensor? _y;

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        if (IsApplied(step))
        {
            return x;
        }

        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(ElementwiseKernels.Relu, step.Samples * x.SampleStride, x.View, y.View);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        if (needsInputGradient && !IsApplied(step))
        {
            Device.Run(ElementwiseKernels.Mask, step.Samples * dy.SampleStride, _y!.View, dy.View);
        }

        return needsInputGradient ? dy : null;
    }

    private bool IsApplied(DeviceStep step) => relu.AppliedBy is { } norm && DeviceBatchNorm.Applies(norm, step);
}
