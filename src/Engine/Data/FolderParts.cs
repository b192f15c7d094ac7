namespace ConvNet.Engine.Data;

/// <summary>The folders of a data set of images, PART/CLASS/IMAGE, by the names that people give to the parts, in either case.</summary>
public static class FolderParts
{
    public static IReadOnlyList<string> Train { get; } = ["train", "training"];

    /// <summary>In the order in which they are preferred.</summary>
    public static IReadOnlyList<string> Test { get; } = ["test", "testing", "val", "valid", "validation"];

    // What macOS, Synology and Windows leave behind.
    private static readonly string[] Foreign = ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

    /// <summary>The subfolders that are neither hidden nor left behind by a system, in ordinal order of their names.</summary>
    public static DirectoryInfo[] In(string folder) =>
    [
        .. new DirectoryInfo(folder).GetDirectories().Where(info => info.Name[0] != '.' && !Foreign.Contains(info.Name))
            .OrderBy(info => info.Name, StringComparer.Ordinal),
    ];

    /// <summary>The subfolders with one of these names, in the order of the names.</summary>
    public static DirectoryInfo[] Find(string folder, IReadOnlyList<string> names)
    {
        DirectoryInfo[] folders = In(folder);
        return [.. names.SelectMany(name => folders.Where(info => info.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))];
    }
}
