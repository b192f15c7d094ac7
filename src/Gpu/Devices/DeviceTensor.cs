using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// The values between two layers in the memory of a device, for up to <see cref="Capacity"/> samples, laid out as an <see cref="Activation"/>:
/// (N, C/8, H, W, 8), so that copies from and to the processor are plain and index arithmetic is the engine's. Lanes past the last channel are
/// zero, and every layer keeps them zero.
/// </summary>
public sealed class DeviceTensor : IDisposable
{
    private readonly DeviceBuffer<Float32> _memory;

    public DeviceTensor(KernelDevice device, Shape shape, int capacity)
    {
        (Shape, Capacity) = (shape, capacity);
        SampleStride = checked(shape.Blocks * shape.Area * 8);
        _memory = new DeviceBuffer<Float32>(device, "activations").Reserve(checked(SampleStride * capacity));
    }

    /// <summary>Makes it, or makes it grow, to hold <paramref name="capacity"/> samples; new memory is zero.</summary>
    public static DeviceTensor Reserve(ref DeviceTensor? tensor, KernelDevice device, Shape shape, int capacity)
    {
        if (tensor is null || tensor.Capacity < capacity)
        {
            tensor?.Dispose();
            tensor = new DeviceTensor(device, shape, capacity);
        }

        return tensor;
    }

    public Shape Shape { get; }

    public int Capacity { get; }

    /// <summary>Floats from one sample to the next.</summary>
    public int SampleStride { get; }

    /// <summary>All of its floats, of which an int counts no more than it can hold.</summary>
    public ArrayView<Float32> View => _memory.View;

    /// <summary>Has the device copy samples here, after all that has been launched before.</summary>
    /// <param name="samples">Locked memory of the processor, which keeps its values until the next wait.</param>
    public void Receive(ArrayView<Float32> samples) => _memory.Receive(samples);

    /// <summary>Copies the first samples to <paramref name="target"/>.</summary>
    public unsafe void Download(Activation target, int samples) =>
        _memory.Download(new Span<Float32>(target.Data, checked(samples * SampleStride)));

    public void Dispose() => _memory.Dispose();
}
