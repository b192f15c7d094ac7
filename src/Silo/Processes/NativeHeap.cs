using System.Runtime.InteropServices;

namespace ConvNet.Silo.Processes;

/// <summary>
/// The memory that the runtime itself takes from the C library, most of it for compiling methods. glibc gives each thread that asks a heap of its own,
/// and keeps all that these once needed: in a process that trains for minutes, a tenth of what it holds. As long as this lives, that is given back.
/// </summary>
internal sealed partial class NativeHeap : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly Timer? _timer = OperatingSystem.IsLinux() && TryGiveBack() ? new Timer(_ => TryGiveBack(), null, Period, Period) : null;

    public void Dispose() => _timer?.Dispose();

    /// <returns>False if the C library is not glibc; musl gives memory back by itself.</returns>
    private static bool TryGiveBack()
    {
        try
        {
            _ = Trim(0);
            return true;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Gives all pages back on which nothing is in use, but for the last <paramref name="kept"/> bytes of the main heap.</summary>
    /// <returns>1 if there were any.</returns>
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);
}
