namespace ConvNet.Engine.Kernels;

/// <summary>
/// Memory that a work item uses and forgets. It belongs to the compute thread rather than to a layer, so that it stays in the
/// thread's cache from layer to layer.
/// </summary>
internal static unsafe class ThreadScratch
{
    private const int Slots = 4;

    [ThreadStatic]
    private static AlignedBuffer?[]? _buffers;

    /// <summary>At least <paramref name="length"/> floats with arbitrary contents; valid until the thread asks for the slot again.</summary>
    public static float* Floats(int slot, long length)
    {
        AlignedBuffer?[] buffers = _buffers ??= new AlignedBuffer?[Slots];
        AlignedBuffer? buffer = buffers[slot];
        if (buffer is null || buffer.Length < length)
        {
            buffers[slot] = buffer = new AlignedBuffer(length);
        }

        return buffer.Data;
    }
}
