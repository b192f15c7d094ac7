using Microsoft.Win32.SafeHandles;

namespace ConvNet.Client.Views;

/// <summary>Where a command writes: results to <see cref="Out"/>, messages to <see cref="Error"/>.</summary>
/// <param name="IsInteractive">A person watches: cursor movement and redraws are welcome.</param>
/// <param name="UsesColor">Colour is welcome; never without <paramref name="IsInteractive"/>.</param>
public sealed record Terminal(TextWriter Out, TextWriter Error, bool IsInteractive, bool UsesColor)
{
    /// <summary>
    /// The terminal of this process. Without one, with TERM=dumb, or with output in a pipe, there is no animation;
    /// NO_COLOR (set and not empty) turns colour off, as no-color.org says.
    /// </summary>
    public static Terminal Process()
    {
        string? term = Environment.GetEnvironmentVariable("TERM");
        bool interactive = !Console.IsOutputRedirected && term is not (null or "" or "dumb");
        bool color = interactive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return new Terminal(Open(1, Console.IsOutputRedirected), Open(2, Console.IsErrorRedirected), interactive, color);
    }

    /// <summary>
    /// On a Unix terminal, Console's own streams begin with the terminal's initialization sequence, which is no JSON; the plain
    /// descriptor has none.
    /// </summary>
    private static StreamWriter Open(int descriptor, bool isRedirected)
    {
        Stream stream = !isRedirected && !OperatingSystem.IsWindows()
            ? new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0)
            : descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
        return new StreamWriter(new OutputStream(stream)) { AutoFlush = true };
    }
}
