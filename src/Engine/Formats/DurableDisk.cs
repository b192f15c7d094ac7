using System.ComponentModel;
using System.Runtime.InteropServices;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;

namespace ConvNet.Engine.Formats;

/// <summary>
/// The file operations of whoever must find something whole after a power failure: a file's content is on the disk once it is flushed, a name
/// (made, moved or deleted) once its folder is. .NET has no call for the latter, so on Linux and macOS it asks the C library.
/// </summary>
public partial class DurableDisk
{
    /// <summary>The machine's own file systems.</summary>
    public static readonly DurableDisk Machine = new();

    private const int ReadOnly = 0;

    protected DurableDisk()
    {
    }

    /// <summary>Makes a folder for its owner alone, unless it is there, and those above it.</summary>
    /// <exception cref="IOException">The file system says no.</exception>
    public virtual void CreateFolder(string path) => PrivateFile.CreateFolder(path);

    /// <summary>Makes a folder, and those above it with the modes that the user chose; all of their names survive a power failure.</summary>
    /// <exception cref="IOException">The file system says no.</exception>
    public void CreateFolders(string path)
    {
        var above = new Stack<string>();
        for (string folder = Path.GetFullPath(path); !Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent; folder = parent)
        {
            above.Push(parent);
        }

        CreateFolder(path);
        foreach (string folder in above)
        {
            FlushFolder(folder);
        }
    }

    /// <summary>Makes a new file for its owner alone; nothing of it is sure before <see cref="Flush"/>.</summary>
    /// <exception cref="IOException">The file system says no.</exception>
    public virtual FileStream CreateFile(string path) => PrivateFile.Open(path, FileMode.CreateNew, FileShare.None);

    /// <summary>Makes the content of a file survive a power failure.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public virtual void Flush(FileStream file) => file.Flush(flushToDisk: true);

    /// <summary>Makes the names in a folder survive a power failure. Windows does this by itself.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed.</exception>
    public virtual void FlushFolder(string folder)
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

    /// <summary>Gives a folder another name beside its own; which of both it has after a crash is not sure before the folder above is flushed.</summary>
    /// <exception cref="IOException">The target exists, or the file system says no.</exception>
    public virtual void Move(string from, string to) => Directory.Move(from, to);

    /// <summary>Deletes a folder with all that is in it, in no certain order.</summary>
    /// <exception cref="IOException">The file system says no.</exception>
    public virtual void Delete(string folder) => Directory.Delete(folder, recursive: true);

    /// <summary>
    /// Creates a new file for its owner alone, lets <paramref name="write"/> fill it and flushes it to the disk. The folder's entry is not flushed.
    /// </summary>
    /// <exception cref="ConvNetException">The disk is full or not writable (exit code 7).</exception>
    public void Write(string path, Action<Stream> write)
    {
        try
        {
            using FileStream file = CreateFile(path);
            write(file);
            Flush(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
    }

    /// <summary>Gives a folder whose files are all flushed its final name, and flushes both folders' entries.</summary>
    /// <exception cref="ConvNetException">The target exists, or the disk fails (exit code 7).</exception>
    public void PublishFolder(string temporary, string final)
    {
        try
        {
            FlushFolder(temporary);
            Move(temporary, final);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(final))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(final, e);
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
