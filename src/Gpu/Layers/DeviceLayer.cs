using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>
/// One layer of a model on a device: the mirror of an engine's <see cref="Layer"/>, with its bits. Contract: <see cref="Load"/> runs after the layer's
/// parameters have their values and before forward; forward reads <c>x</c> and keeps a reference to it until backward; backward gets
/// ∂loss/∂output, may overwrite it, leaves the gradient roots of its parameters by <see cref="GradientRoots.Finish"/>, and returns
/// ∂loss/∂input (its own memory, or <c>dy</c> overwritten, unless it launches <see cref="KernelDevice.Aside"/> what reads that). Memory comes
/// from <see cref="Reserve"/> at the first pass, for the capacity of <c>x</c>, and is reused. Padding lanes are zero on entry and must be zero on
/// return. Only the first <see cref="DeviceStep.Samples"/> samples count; others hold anything, and need not be computed.
/// </summary>
/// <param name="device">Runs the kernels; not owned.</param>
/// <param name="layer">What to compute; its shapes, parameters and options.</param>
public abstract class DeviceLayer(KernelDevice device, Layer layer) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    public Layer Layer { get; } = layer;

    protected Shape Input => Layer.Input;

    protected Shape Output => Layer.Output;

    protected KernelDevice Device { get; } = device;

    /// <summary>Takes over the values of the layer's parameters after they have changed: uploads them, in the form that the kernels want.</summary>
    public virtual void Load(DeviceStep step)
    {
    }

    /// <param name="x">(N, C, H, W) with N ≥ <see cref="DeviceStep.Samples"/> slots.</param>
    public abstract DeviceTensor Forward(DeviceTensor x, DeviceStep step);

    /// <param name="dy">Shape of the output; may be overwritten.</param>
    /// <param name="needsInputGradient">False for the first layer: the result is then null.</param>
    public abstract DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient);

    /// <summary>Frees the memory of this layer and of those inside it.</summary>
    public virtual void Dispose()
    {
        _owned.ForEach(resource => resource.Dispose());
        _owned.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Launches <see cref="BackwardWeights"/> beside what follows.</summary>
    private protected void BackwardWeightsAside(DeviceTensor dy, DeviceStep step)
    {
        step.Profile?.Begin(Layer.Index, StepPhase.BackwardWeights);
        using (Device.Aside())
        {
            BackwardWeights(dy, step);
        }

        step.Profile?.End();
    }

    /// <summary>The gradients of the layer's own parameters, where they do not come with that of the input.</summary>
    private protected virtual void BackwardWeights(DeviceTensor dy, DeviceStep step)
    {
    }

    /// <summary>A tensor of this layer, made or grown to hold <paramref name="capacity"/> samples; new memory is zero.</summary>
    protected DeviceTensor Reserve(ref DeviceTensor? tensor, Shape shape, int capacity)
    {
        DeviceTensor? before = tensor;
        DeviceTensor now = DeviceTensor.Reserve(ref tensor, Device, shape, capacity);
        if (now != before)
        {
            _owned.RemoveAll(resource => resource == before);
            Own(now);
        }

        return now;
    }

    /// <summary>Memory of this layer for whatever <paramref name="what"/> says; it has no room yet.</summary>
    private protected DeviceBuffer<T> NewBuffer<T>(string what)
        where T : unmanaged => Own(new DeviceBuffer<T>(Device, what));

    /// <summary>The values of a parameter on the device: where they are kept, or uploaded to <paramref name="buffer"/>.</summary>
    /// <param name="length">At least the parameter's own; what follows these is zero.</param>
    private protected ArrayView<Float32> ValuesOf(Parameter parameter, DeviceBuffer<Float32> buffer, int length, DeviceStep step) =>
        step.Kept is { } kept ? kept.Values(parameter).SubView(0, length) : Uploaded(parameter.Values.AsSpan(0, parameter.Count), buffer, length);

    /// <summary><paramref name="values"/> in the first <paramref name="length"/> floats of <paramref name="buffer"/>.</summary>
    private protected static ArrayView<Float32> Uploaded(ReadOnlySpan<float> values, DeviceBuffer<Float32> buffer, int length)
    {
        buffer.Reserve(length).Upload(Floats(values));
        return buffer.View.SubView(0, length);
    }

    /// <summary>Floats of the processor as those of kernels.</summary>
    private protected static ReadOnlySpan<Float32> Floats(ReadOnlySpan<float> values) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<float, Float32>(values);

    /// <summary>Leaves <paramref name="resource"/> to this layer to dispose.</summary>
    protected T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
