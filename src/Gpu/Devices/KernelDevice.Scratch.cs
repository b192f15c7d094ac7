using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Memory that the layers of a device share, because its launches are carried out one after the other; those <see cref="Aside"/> have their own.
/// </summary>
public sealed partial class KernelDevice
{
    private const int Slots = 4;

    private readonly DeviceBuffer<Float32>?[] _scratch = new DeviceBuffer<Float32>?[2 * Slots];

    /// <summary>Room for <paramref name="length"/> floats with arbitrary contents, until the next call for this slot.</summary>
    internal ILGPU.ArrayView<Float32> Scratch(int slot, long length)
    {
        DeviceBuffer<Float32> buffer = _scratch[_queue.IsAside ? Slots + slot : slot] ??= new DeviceBuffer<Float32>(this, "scratch memory");
        return buffer.Reserve(length).View.SubView(0, length);
    }

    /// <summary>Gives the shared memory back, when a runner leaves the device to another.</summary>
    internal void FreeScratch()
    {
        foreach (DeviceBuffer<Float32>? buffer in _scratch)
        {
            buffer?.Dispose();
        }
    }
}
