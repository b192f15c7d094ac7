using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;

namespace ConvNet.Gpu.Layers;

/// <summary>Device layers that feed each other; the mirror of <see cref="LayerSequence"/>.</summary>
internal sealed class DeviceSequence : IDisposable
{
    private readonly KernelDevice _device;
    private readonly DeviceLayer[] _layers;

    public DeviceSequence(LayerSequence sequence, KernelDevice device) =>
        (_device, _layers) = (device, [.. sequence.Layers.Select(layer => DeviceLayers.For(layer, device))]);

    public IReadOnlyList<DeviceLayer> Layers => _layers;

    public DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        foreach (DeviceLayer layer in _layers)
        {
            if (step.Training && layer.Layer.Parameters.Count > 0)
            {
                step.Profile?.Begin(layer.Layer.Index, StepPhase.Load);
                if (step.Kept is null)
                {
                    Pull(layer, step);
                }

                layer.Load(step);
                step.Profile?.End();
            }

            step.Profile?.Begin(layer.Layer.Index, StepPhase.Forward);
            x = layer.Forward(x, step);
            step.Profile?.End();
        }

        return x;
    }

    public DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        DeviceTensor? gradient = dy;
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            step.Profile?.Begin(_layers[i].Layer.Index, StepPhase.BackwardData);
            gradient = _layers[i].Backward(gradient!, step, needsInputGradient || i > 0);
            step.Profile?.End();
            step.Downloads.Flush(step);
        }

        return gradient;
    }

    /// <summary>Takes over the parameters of all layers for evaluation.</summary>
    public void LoadAll(DeviceStep step)
    {
        foreach (DeviceLayer layer in _layers)
        {
            layer.Load(step);
        }
    }

    public void Dispose()
    {
        foreach (DeviceLayer layer in _layers)
        {
            layer.Dispose();
        }
    }

    private void Pull(DeviceLayer layer, DeviceStep step)
    {
        _device.SubmitPart();
        foreach (Engine.Parameters.Parameter parameter in layer.Layer.Parameters)
        {
            step.Exchange.Pull(parameter);
        }
    }
}
