using System.Buffers;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary>
/// Floats on the way between grains. Inside a silo the reference travels; between silos the bytes are copied straight from and to
/// pooled arrays. Nobody changes the floats after the block is made: the sender may reuse its array only after the call has
/// completed (never after a time-out), the receiver copies what it keeps and disposes the block.
/// </summary>
[Immutable]
public sealed class TensorBlock : IDisposable
{
    /// <summary>Floats at most: 512 KiB, twice the size in which blocks are sent.</summary>
    public const int MaxLength = 128 * 1024;

    private readonly int _offset;
    private readonly bool _pooled;
    private float[]? _array;

    /// <param name="array">Stays the caller's.</param>
    public TensorBlock(float[] array, int offset, int length)
        : this(array, offset, length, pooled: false)
    {
    }

    private TensorBlock(float[] array, int offset, int length, bool pooled)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, array.Length - length);
        _array = array;
        _offset = offset;
        Length = length;
        _pooled = pooled;
    }

    public int Length { get; }

    public ReadOnlySpan<float> Span => Memory.Span;

    public ReadOnlyMemory<float> Memory =>
        new(_array ?? throw new ObjectDisposedException(nameof(TensorBlock)), _offset, Length);

    /// <summary>Gives a pooled array back; does nothing for a block that somebody else owns.</summary>
    public void Dispose()
    {
        if (_pooled && Interlocked.Exchange(ref _array, null) is { } array)
        {
            ArrayPool<float>.Shared.Return(array);
        }
    }

    internal static TensorBlock Rent(int length) => new(ArrayPool<float>.Shared.Rent(length), 0, length, pooled: true);

    internal Span<float> Writable() => _array.AsSpan(_offset, Length);
}
