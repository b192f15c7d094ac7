using System.Text;
using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Files;

/// <summary>Reads the text files of every format (models, configurations, manifests): ordinary files of valid UTF-8 and bounded size.</summary>
public static class TextFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The whole text, without a byte order mark.</summary>
    /// <param name="source">What error messages call it, e.g. "model file 'my.json'".</param>
    /// <param name="maxBytes">Larger files are refused unread.</param>
    /// <exception cref="ConvNetException">It is missing, no ordinary file, too large, or not text (exit code 3).</exception>
    public static string Read(string path, string source, int maxBytes)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw ConvNetException.BadInput($"{source}: a path is not empty and holds no NUL. Name a file.");
        }

        try
        {
            return Decode(ReadBytes(path, source, maxBytes), source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{source} cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static byte[] ReadBytes(string path, string source, int maxBytes)
    {
        if (Directory.Exists(path))
        {
            throw ConvNetException.BadInput($"{source} is a folder. Name a file.");
        }

        var file = new FileInfo(path);
        file = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        if (!file.Exists)
        {
            throw ConvNetException.BadInput($"{source} does not exist. Check the path.");
        }

        // Pipes, sockets and devices have length 0, so that none of them is ever opened and waited for.
        if (file.Length == 0)
        {
            throw ConvNetException.BadInput($"{source} has 0 bytes: it is empty, or a pipe, a socket or a device. Name a file with text.");
        }

        if (file.Length > maxBytes)
        {
            throw ConvNetException.BadInput($"{source} has {file.Length} bytes, more than the {maxBytes} allowed. This is another kind of file.");
        }

        byte[] bytes = new byte[file.Length];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return bytes[..length];
    }

    private static string Decode(byte[] bytes, string source)
    {
        int zero = Array.IndexOf(bytes, (byte)0);
        if (zero >= 0)
        {
            throw ConvNetException.BadInput($"{source} has a NUL at {Place(bytes, zero)}. A text file has none; save it as UTF-8.");
        }

        ReadOnlySpan<byte> text = bytes;
        text = text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text;
        try
        {
            return Strict.GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            int at = bytes.Length - text.Length + Math.Max(0, e.Index);
            throw ConvNetException.BadInput($"{source} is not UTF-8 at {Place(bytes, at)}. Save it as UTF-8.", e);
        }
    }

    private static string Place(ReadOnlySpan<byte> bytes, int at)
    {
        ReadOnlySpan<byte> before = bytes[..at];
        return $"line {1 + before.Count((byte)'\n')}, column {at - before.LastIndexOf((byte)'\n')} (byte {at})";
    }
}
