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
        ReLU relu => new DeviceReLU(device, relu),
        Flatten flatten => new DeviceFlatten(device, flatten),
        Dropout dropout => new DeviceDropout(device, dropout),
        MaxPool pool => new DeviceMaxPool(device, pool),
        AvgPool pool => new DeviceAvgPool(device, pool),
        BatchNorm norm => new DeviceBatchNorm(device, norm),
        GroupNorm norm => new DeviceGroupNorm(device, norm),
        LayerNorm norm => new DeviceLayerNorm(device, norm),
        Residual residual => new DeviceResidual(device, residual),
        Convolution convolution when DeviceFullyConnected.Fits(convolution.Geometry) => new DeviceFullyConnected(device, convolution),
        Convolution convolution => new DeviceConvolution(device, convolution),
        LocallyConnected connected => new DeviceLocallyConnected(device, connected),
        _ => throw ConvNetException.BadInput(
            $"layer '{layer.Name}' ({layer.GetType().Name}, {layer.Input} to {layer.Output}) has no kernels for {device.Name}; use --device cpu."),
    };
}
