using ConvNet.Engine.Errors;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Layers;

/// <summary>Which device layer computes which layer of the engine.</summary>
internal static class DeviceLayers
{
    /// <exception cref="ConvNetException">The device has no kernels for this layer (exit code 3).</exception>
    public static DeviceLayer For(Layer layer, KernelDevice device) => layer switch
    {
        Convolution convolution => new DeviceConvolution(convolution, device),
        LocallyConnected connected => new DeviceLocallyConnected(connected, device),
        _ => throw ConvNetException.BadInput(
            $"layer '{layer.Name}' ({layer.GetType().Name}, {layer.Input} to {layer.Output}) has no kernels for {device.Name}; use --device cpu."),
    };
}
