using Microsoft.Win32.SafeHandles;

namespace ConvNet.Silo.Processes;

/// <summary>The standard streams of this process, for text.</summary>
public static class StandardStream
{
    /// <summary>Writes to standard output (1) or standard error (2), and to nothing when its reader has left.</summary>
    /// <remarks>
    /// On a Unix terminal, Console's own streams begin with the terminal's initialization sequence, which is no JSON; the plain
    /// descriptor has none.
    /// </remarks>
    public static StreamWriter Open(int descriptor, bool isRedirected)
    {
        Stream stream = !isRedirected && !OperatingSystem.IsWindows()
            ? new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0)
            : descriptor == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
        return new StreamWriter(new OutputStream(stream)) { AutoFlush = true };
    }

    /// <summary>
    /// Whether the locale's character set is UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides, as POSIX says. Where
    /// none is set (containers), nobody has said otherwise, and text is UTF-8 as in files.
    /// </summary>
    public static bool ShowsUnicode(Func<string, string?> environment)
    {
        string? locale = new[] { "LC_ALL", "LC_CTYPE", "LANG" }.Select(environment).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return locale is null || locale.Replace("-", "", StringComparison.Ordinal).Contains("utf8", StringComparison.OrdinalIgnoreCase);
    }
}
