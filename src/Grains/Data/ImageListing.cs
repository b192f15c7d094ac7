using ConvNet.Engine.Data;

namespace ConvNet.Grains.Data;

/// <summary>
/// The classes and images of one part of a data set, PART/CLASS/IMAGE. Names are compared in NFC, whatever the file system wrote. What is
/// wrong goes to a list, so that one look finds all.
/// </summary>
internal sealed class ImageListing(string root, FaultList faults)
{
    private static readonly string[] Read = [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif"];
    private static readonly string[] NotRead =
        [".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ico", ".tga", ".svg"];

    /// <summary>An image of a class.</summary>
    /// <param name="Name">CLASS/FILE in NFC.</param>
    public sealed record Entry(string Path, string Name, string ClassName);

    private readonly List<string> _noImages = [];
    private readonly List<string> _inNoClass = [];

    /// <summary>The class folders by their names in NFC, in ordinal order.</summary>
    public SortedDictionary<string, DirectoryInfo> Classes(string folder)
    {
        var classes = new SortedDictionary<string, DirectoryInfo>(StringComparer.Ordinal);
        foreach (DirectoryInfo info in FolderParts.In(folder))
        {
            if (Problem(info) is { } problem)
            {
                faults.Add(problem);
            }
            else if (!classes.TryAdd(ComposedName.Of(info.Name), info))
            {
                faults.Add($"{ImageFile.Shown(info.FullName)}: is the second folder of this name, which differs in Unicode normalization only. Merge both.");
            }
        }

        // A link to itself or in a circle is no folder to the file system.
        foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles().Where(file => file.Name[0] != '.').OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (file.LinkTarget is not null)
            {
                faults.Add(LinkProblem(file) ?? $"{ImageFile.Shown(file.FullName)}: is a link to no folder. Remove it.");
            }
            else
            {
                (Read.Contains(file.Extension.ToLowerInvariant()) ? _inNoClass : _noImages).Add(file.Name);
            }
        }

        return classes;
    }

    /// <summary>Adds remarks about the files that were passed over.</summary>
    public void DescribeIgnored(ICollection<string> remarks)
    {
        Ignored.Add([.. _noImages], "no image", remarks);
        Ignored.Add([.. _inNoClass], "in no class folder", remarks);
    }

    /// <summary>The images of a class folder in ordinal order of their names.</summary>
    public List<Entry> Images(string className, DirectoryInfo folder)
    {
        var entries = new List<Entry>();
        HashSet<string> kept = [.. FolderParts.In(folder.FullName).Select(info => info.Name)];
        foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos())
        {
            string shown = ImageFile.Shown(info.FullName);
            if (info.Name[0] == '.' || (info is DirectoryInfo && !kept.Contains(info.Name)))
            {
                continue;
            }

            if (Problem(info) is { } problem)
            {
                faults.Add(problem);
            }
            else if (info is DirectoryInfo)
            {
                faults.Add($"{shown}: is a folder. Class folders hold images only.");
            }
            else if (NotRead.Contains(info.Extension.ToLowerInvariant()))
            {
                faults.Add($"{shown}: images of this kind ({info.Extension}) are not read. Convert it to PNG, or remove it.");
            }
            else if (IsImage(info))
            {
                entries.Add(new Entry(info.FullName, $"{className}/{ComposedName.Of(info.Name)}", className));
            }
            else
            {
                _noImages.Add($"{className}/{info.Name}");
            }
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    // As torchvision takes them, by extension; where there is none, the content decides.
    private static bool IsImage(FileSystemInfo info)
    {
        if (info.Extension.Length > 0)
        {
            return Read.Contains(info.Extension.ToLowerInvariant());
        }

        return info.LinkTarget is null && ((FileInfo)info).Length > 0 && ImageFile.Read(info.FullName).Format is not null;
    }

    // A name of other bytes than UTF-8 arrives with replacement characters in it, and nothing of that name is there.
    private string? Problem(FileSystemInfo info) => info.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(info.FullName)
        ? $"{ImageFile.Shown(info.FullName)}: the name is not UTF-8. Rename it."
        : LinkProblem(info);

    // A link may point elsewhere within the data set, but not out of it, nor in a circle.
    private string? LinkProblem(FileSystemInfo info)
    {
        if (info.LinkTarget is null)
        {
            return null;
        }

        string real;
        try
        {
            real = Real(info);
        }
        catch (IOException e)
        {
            return $"{ImageFile.Shown(info.FullName)}: the link to {ImageFile.Shown(info.LinkTarget)} cannot be read: {e.Message.TrimEnd('.')}. Remove it.";
        }

        if (!Path.Exists(real))
        {
            return $"{ImageFile.Shown(info.FullName)}: is a link to {ImageFile.Shown(info.LinkTarget)}, where nothing is. Remove it.";
        }

        return Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), real) || Contains(Real(new DirectoryInfo(root)), real)
            ? null
            : $"{ImageFile.Shown(info.FullName)}: is a link to {ImageFile.Shown(real)}, outside the data set. Copy the files into it.";
    }

    private static bool Contains(string folder, string path) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string Real(FileSystemInfo info) =>
        Path.TrimEndingDirectorySeparator((info.ResolveLinkTarget(returnFinalTarget: true) ?? info).FullName);
}
