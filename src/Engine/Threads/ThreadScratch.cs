using System.Runtime.InteropServices;

namespace ConvNet.Engine.Threads;

/// <summary>
/// Memory that a work item uses and forgets. It belongs to the compute thread rather than to a layer, so that it stays in the
/// thread's cache from layer to layer. It is native, because a thread may need more of it at any step: whenever it first picks up
/// an item of a larger layer.
/// </summary>
internal static unsafe class ThreadScratch
{
    private const int Slots = 4;
    private const int Alignment = 64;

    [ThreadStatic]
    private static Buffers? _buffers;

    /// <summary>At least <paramref name="length"/> floats with arbitrary contents; valid until the thread asks for the slot again.</summary>
    public static float* Floats(int slot, long length) => (_buffers ??= new Buffers()).Floats(slot, length);

    /// <summary>Makes what this thread needs of managed memory.</summary>
    public static void Prepare() => _buffers ??= new Buffers();

    /// <summary>Frees what the calling thread has; it may ask again.</summary>
    public static void Release() => _buffers?.Free();

    /// <summary>Freed at the latest after its thread has ended.</summary>
    private sealed class Buffers
    {
        private readonly nint[] _memory = new nint[Slots];
        private readonly long[] _lengths = new long[Slots];

        ~Buffers() => Free();

        public void Free()
        {
            for (int slot = 0; slot < Slots; slot++)
            {
                NativeMemory.AlignedFree((void*)_memory[slot]);
                (_memory[slot], _lengths[slot]) = (0, 0);
            }
        }

        public float* Floats(int slot, long length)
        {
            if (_lengths[slot] < length)
            {
                NativeMemory.AlignedFree((void*)_memory[slot]);
                (_memory[slot], _lengths[slot]) = (0, 0);
                _memory[slot] = (nint)NativeMemory.AlignedAlloc(checked((nuint)(length * sizeof(float))), Alignment);
                _lengths[slot] = length;
            }

            return (float*)_memory[slot];
        }
    }
}
