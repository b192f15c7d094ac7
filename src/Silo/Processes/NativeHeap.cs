using System.Runtime.InteropServices;

namespace ConvNet.Silo.Processes;

/// <summary>
/// The memory that the runtime itself takes from the C library, most of it for compiling methods. glibc gives each thread that asks a heap of its own,
/// and keeps in them what was large once: in a process that lives for days these grow by half of what it holds.
/// </summary>
internal static partial class NativeHeap
{
    /// <summary>Parameters, as malloc.h of glibc numbers them.</summary>
    private const int TrimThreshold = -1, MapThreshold = -3, MostHeaps = -8;

    /// <summary>Bytes. A block of this size or more is given back when it is freed. To set it ends that glibc raises it by itself.</summary>
    private const int LargeBlock = 128 * 1024;

    /// <summary>Has all threads that start from now on share one heap, and free memory given back. Does nothing where the C library is another one.</summary>
    public static void Share()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = SetOption(MostHeaps, 1);
            _ = SetOption(MapThreshold, LargeBlock);
            _ = SetOption(TrimThreshold, LargeBlock);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has one heap for all threads.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int parameter, int value);
}
