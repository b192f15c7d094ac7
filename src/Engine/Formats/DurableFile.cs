using System.ComponentModel;
using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Engine.Formats;

/// <summary>
/// Files and folders that are either whole and on the disk, or not there at all: written under a temporary name, flushed, renamed, and the
/// folder's own entry flushed too. .NET has no call for the last part, so on Linux and macOS it asks the C library.
/// </summary>
public static partial class DurableFile
{
    private const int ReadOnly = 0;

    /// <summary>
    /// Creates a new file for its owner alone, lets <paramref name="write"/> fill it and flushes it to the disk. The folder's entry is not flushed.
    /// </summary>
    /// <exception cref="ConvNetException">The disk is full or not writable (exit code 7).</exception>
    public static void Create(string path, Action<Stream> write)
    {
        try
        {
            using FileStream file = PrivateFile.Open(path, FileMode.CreateNew, FileShare.None);
            write(file);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
    }

    /// <summary>Gives a folder whose files are all flushed its final name, and flushes both folders' entries.</summary>
    /// <exception cref="ConvNetException">The target exists, or the disk fails (exit code 7).</exception>
    public static void PublishFolder(string temporary, string final)
    {
        try
        {
            FlushFolder(temporary);
            Directory.Move(temporary, final);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(final))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(final, e);
        }
    }

    /// <summary>Makes the names in a folder survive a power failure. Windows does this by itself.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed.</exception>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"{folder} cannot be opened: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
        }

        int result = Fsync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"{folder} cannot be flushed: {new Win32Exception(error).Message}.");
        }
    }

    private static ConvNetException Failed(string path, Exception inner) =>
        new(ExitCode.Resources, $"{path}: cannot be written: {inner.Message.TrimEnd('.')}. Free some space or choose another folder.", inner);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
