using ILGPU;
using ILGPU.Runtime;

namespace ConvNet.Gpu.Devices;

/// <summary>
/// Memory of the processor that a device copies from and to by itself, while the processor goes on. It grows as it is asked to; what it held is then
/// lost, and no copy may be under way.
/// </summary>
internal sealed class PinnedMemory<T>(KernelDevice device) : IDisposable
    where T : unmanaged
{
    private PageLockedArray1D<T>? _memory;

    /// <summary>The first <paramref name="length"/> elements.</summary>
    public Span<T> Span(int length) => Reserve(length).Span[..length];

    /// <summary>The same for copies.</summary>
    public ArrayView<T> View(int length) => Reserve(length).ArrayView.SubView(0, length);

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

    private PageLockedArray1D<T> Reserve(int length)
    {
        if (_memory is null || _memory.Length < length)
        {
            Dispose();
            _memory = device.AllocatePinned<T>(length);
        }

        return _memory;
    }
}
