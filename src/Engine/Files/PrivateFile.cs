namespace ConvNet.Engine.Files;

/// <summary>
/// Files and folders of a run: weights, options, events and logs are for their owner alone (0600 and 0700), from the moment they are made.
/// What is there already keeps its mode.
/// </summary>
public static class PrivateFile
{
    private const UnixFileMode FileModeOfOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderModeOfOwner = FileModeOfOwner | UnixFileMode.UserExecute;

    /// <summary>Opens a file for writing; a new one is made for its owner alone.</summary>
    /// <exception cref="IOException">The file system says no.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static FileStream Open(string path, FileMode mode, FileShare share = FileShare.Read)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = share, BufferSize = 1 << 16 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = FileModeOfOwner;
        }

        return new FileStream(path, options);
    }

    /// <summary>A writer of UTF-8 text.</summary>
    /// <inheritdoc cref="Open"/>
    public static StreamWriter OpenText(string path, FileMode mode) => new(Open(path, mode));

    /// <summary>Writes a text; what the file held is gone.</summary>
    /// <inheritdoc cref="Open"/>
    public static void WriteText(string path, string text)
    {
        using StreamWriter writer = OpenText(path, FileMode.Create);
        writer.Write(text);
    }

    /// <summary>Makes a folder, and those above it with the modes that the user chose.</summary>
    /// <inheritdoc cref="Open"/>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } parent)
        {
            Directory.CreateDirectory(parent);
        }

        Directory.CreateDirectory(path, FolderModeOfOwner);
    }
}
