using ILGPU;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// <see cref="HostMemory{T}"/> that grows as it is asked to; what it held is then lost.
/// </summary>
internal sealed unsafe class PinnedMemory<T>(KernelDevice device) : IDisposable
    where T : unmanaged
{
    private HostMemory<T>? _memory;

    /// <summary>The first <paramref name="length"/> elements.</summary>
    public Span<T> Span(int length) => new((void*)Reserve(length).Address, length);

    /// <summary>The same for copies.</summary>
    public ArrayView<T> View(int length) => Reserve(length).View.SubView(0, length);

    /// <summary>Has the device copy to here by itself, after all that has been launched before.</summary>
    /// <param name="length">Elements in all.</param>
    /// <param name="at">Where the copy begins.</param>
    public void Receive(int length, ArrayView<T> source, int at = 0) => device.CopyFrom(source, View(length).SubView(at, source.Length));

    public void Dispose()
    {
        if (_memory is not null)
        {
            device.Free(_memory);
            _memory = null;
        }
    }

    private HostMemory<T> Reserve(int length)
    {
        if (_memory is null || _memory.Length < length)
        {
            Dispose();
            _memory = device.AllocateHost<T>(Math.Max(1, length));
        }

        return _memory;
    }
}
