using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Elementwise;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="Residual"/> on a device: two branches that are added, then a ReLU.</summary>
internal sealed class DeviceResidual(KernelDevice device, Residual residual) : DeviceLayer(device, residual)
{
    private readonly DeviceSequence _main = new(residual.Main, device);
    private readonly DeviceSequence _shortcut = new(residual.Shortcut, device);
    private DeviceTensor? _y;
    private DeviceTensor? _gradient;

    /// <summary>In training the branches load their layers when these run.</summary>
    public override void Load(DeviceStep step)
    {
        _main.LoadAll(step);
        _shortcut.LoadAll(step);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        DeviceTensor main = _main.Forward(x, step);
        DeviceTensor shortcut = _shortcut.Forward(x, step);
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(ElementwiseKernels.AddRelu, step.Samples * y.SampleStride, main.View, shortcut.View, y.View);
        return y;
    }

    /// <summary>The shortcut goes first: its parameters come last in the model, so their gradients are due first. Each branch may overwrite its dy.</summary>
    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        DeviceTensor copy = Reserve(ref _gradient, Output, dy.Capacity);
        Device.Run(ElementwiseKernels.MaskAndCopy, step.Samples * dy.SampleStride, _y!.View, dy.View, copy.View);
        DeviceTensor? shortcut = _shortcut.Backward(copy, step, needsInputGradient);
        DeviceTensor? main = _main.Backward(dy, step, needsInputGradient);
        if (main is null || shortcut is null)
        {
            return null;
        }

        Device.Run(ElementwiseKernels.Add, step.Samples * main.SampleStride, main.View, shortcut.View);
        return main;
    }

    public override void Dispose()
    {
        _main.Dispose();
        _shortcut.Dispose();
        base.Dispose();
    }
}
