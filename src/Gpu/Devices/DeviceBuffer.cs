using ILGPU;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>Memory of a device that grows as it is asked to; what it held is then lost. New memory is zero.</summary>
/// <param name="what">What it holds, for the error when there is no room.</param>
public sealed class DeviceBuffer<T>(KernelDevice device, string what) : IDisposable
    where T : unmanaged
{
    /// <summary>Elements that take the processor as long to copy as some launches take the device.</summary>
    private const int LongCopy = 1 << 16;

    private readonly PinnedMemory<T> _staging = new(device);
    private MemoryBuffer1D<T, Stride1D.Dense>? _memory;
    private long _stagedAt = -1;

    /// <summary>Elements that it has room for.</summary>
    public long Capacity => _memory?.Length ?? 0;

    /// <summary>All of its memory; valid until it grows.</summary>
    public ArrayView<T> View => _memory is null ? ArrayView<T>.Empty : _memory.View.AsContiguous();

    /// <summary>Makes room for <paramref name="length"/> elements.</summary>
    public DeviceBuffer<T> Reserve(long length)
    {
        if (_memory is null || _memory.Length < length)
        {
            Dispose();
            _memory = device.Allocate<T>(length, what);
        }

        return this;
    }

    /// <summary>
    /// Copies to the elements from <paramref name="first"/> on, after all that has been launched before, without waiting for that: the values are taken
    /// over by memory from which the device copies by itself.
    /// </summary>
    public void Upload(ReadOnlySpan<T> values, long first = 0)
    {
        if (values.Length == 0)
        {
            return;
        }

        if (_stagedAt == device.Waits)
        {
            // The last copy may not have left that memory yet.
            device.Synchronize();
        }

        if (values.Length > LongCopy)
        {
            // The device has work while the processor copies.
            device.Submit();
        }

        values.CopyTo(_staging.Span(values.Length));
        device.CopyTo(View.SubView(first, values.Length), _staging.View(values.Length));
        _stagedAt = device.Waits;
    }

    /// <summary>Has the device copy to the first elements by itself, after all that has been launched before.</summary>
    /// <param name="values">Locked memory of the processor, which keeps its values until the next wait.</param>
    public void Receive(ArrayView<T> values) => device.CopyTo(View.SubView(0, values.Length), values);

    /// <summary>Copies the elements from <paramref name="first"/> on, after all that has been launched before.</summary>
    public void Download(Span<T> values, long first = 0)
    {
        if (values.Length > 0)
        {
            device.Submit();
            View.SubView(first, values.Length).CopyToCPU(device.Stream, values);
            device.Synchronize();
        }
    }

    public void Dispose()
    {
        if (_memory is not null)
        {
            device.Free(_memory);
            _memory = null;
        }

        _staging.Dispose();
    }
}
