using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Elementwise;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="Flatten"/> on a device; nothing where there is one pixel.</summary>
internal sealed class DeviceFlatten(KernelDevice device, Flatten flatten) : DeviceLayer(device, flatten)
{
    private DeviceTensor? _y;
    private DeviceTensor? _dx;

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        if (Input.Area == 1)
        {
            return x;
        }

        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(
            Flattening.Flatten, step.Samples * y.SampleStride, x.View, y.View, y.SampleStride, Output.Count, Input.Area, x.SampleStride);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        if (Input.Area == 1 || !needsInputGradient)
        {
            return needsInputGradient ? dy : null;
        }

        DeviceTensor dx = Reserve(ref _dx, Input, dy.Capacity);
        Device.Run(
            Flattening.Unflatten, step.Samples * dx.SampleStride, dy.View, dx.View, dx.SampleStride, Input.C, Input.Area, dy.SampleStride);
        return dx;
    }
}
