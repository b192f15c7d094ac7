using ConvNet.Engine.Errors;

namespace ConvNet.Engine.Data;

/// <summary>Opens the data sets that the engine reads itself, by built-in name or by path; a folder's content decides its format.</summary>
public static class DatasetFiles
{
    /// <summary>The data set that is delivered with the program.</summary>
    public const string DefaultName = "fashion-mnist-mini";

    private const int MaxDepth = 3;
    private const string FullName = "fashion-mnist";
    private const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    /// <summary>The built-in names.</summary>
    public static IReadOnlyList<string> Names { get; } = [DefaultName, FullName];

    private static readonly string[] FashionClasses =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Reads a data set.</summary>
    /// <param name="nameOrPath">A built-in name, or a folder with IDX, CIFAR-10, CIFAR-100 or image files.</param>
    /// <param name="readImageFolder">Decodes a folder of images (see <see cref="FolderParts"/>) and adds remarks; the engine itself has no image
    /// codecs.</param>
    /// <exception cref="ConvNetException">Unknown name, missing or damaged files (exit code 3).</exception>
    public static Dataset Open(
        string nameOrPath, Func<string, ICollection<string>, (ImageSet Train, ImageSet Test)>? readImageFolder = null)
    {
        var remarks = new List<string>();
        if (Names.Contains(nameOrPath))
        {
            (ImageSet train, ImageSet test) = IdxDataset.Read(FindBuiltIn(nameOrPath), remarks, FashionClasses);
            return new Dataset(nameOrPath, train, test, [0.2860], [0.3530]);
        }

        try
        {
            string folder = FindFolder(nameOrPath, remarks);
            (ImageSet train, ImageSet test) = ReadFolder(folder, readImageFolder, remarks);
            return new Dataset(nameOrPath, train, test, remarks: remarks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{nameOrPath}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>The folder of a built-in data set, or null if it is not on this machine.</summary>
    public static string? TryFindBuiltIn(string name) =>
        name == DefaultName ? FindMini() : FullCandidates().FirstOrDefault(IdxDataset.IsIn);

    /// <summary>The folder that holds the files: the given one, or the only one in it that has any, as archives are packed.</summary>
    /// <param name="remarks">Receives that it is another one.</param>
    /// <exception cref="ConvNetException">There is no such folder (exit code 3).</exception>
    public static string FindFolder(string nameOrPath, ICollection<string> remarks)
    {
        string root = Path.GetFullPath(nameOrPath);
        if (!Directory.Exists(root))
        {
            throw ConvNetException.BadInput(File.Exists(root)
                ? $"{nameOrPath}: is a file. Give the folder that holds the training and the test files."
                : $"{nameOrPath}: no such folder, and not one of the built-in data sets {string.Join(", ", Names)}. Check the path.");
        }

        string folder = root;
        for (int depth = 0; depth < MaxDepth && FormatsIn(folder).Length == 0 && Inner(folder) is { } inner; depth++)
        {
            folder = inner.FullName;
        }

        if (FormatsIn(folder).Length == 0 && FolderParts.In(folder).Length == 0)
        {
            return root;
        }

        if (folder != root)
        {
            remarks.Add($"the data are in {Path.GetRelativePath(root, folder)}/");
        }

        return folder;
    }

    // Beside the data there may be others, such as the folder of a run on them.
    private static DirectoryInfo? Inner(string folder)
    {
        DirectoryInfo[] all = FolderParts.In(folder);
        DirectoryInfo[] possible = all.Length == 1 ? all : [.. all.Where(info => FormatsIn(info.FullName).Length > 0)];
        return possible is [{ LinkTarget: null } only] ? only : null;
    }

    private static string[] FormatsIn(string folder) =>
    [
        .. IdxDataset.IsIn(folder) ? ["IDX files"] : (string[])[],
        .. CifarDataset.IsIn(folder) ? ["CIFAR files"] : (string[])[],
        .. FolderParts.Find(folder, [.. FolderParts.Train, .. FolderParts.Test]).Length > 0 ? ["image folders"] : (string[])[],
    ];

    private static (ImageSet Train, ImageSet Test) ReadFolder(
        string folder, Func<string, ICollection<string>, (ImageSet Train, ImageSet Test)>? readImageFolder, List<string> remarks)
    {
        string[] formats = FormatsIn(folder);
        if (formats.Length > 1)
        {
            throw ConvNetException.BadInput(
                $"{folder}: has more than one data set: {string.Join(" and ", formats)}. Keep each one in a folder of its own.");
        }

        if (IdxDataset.IsIn(folder))
        {
            return IdxDataset.Read(folder, remarks);
        }

        if (CifarDataset.IsIn(folder))
        {
            return CifarDataset.Read(folder, remarks);
        }

        return readImageFolder is not null && FolderParts.In(folder).Length > 0
            ? readImageFolder(folder, remarks)
            : throw ConvNetException.BadInput(
                $"{folder}: no data set found: none of these is there. Expected are IDX files (train-images-idx3-ubyte[.gz] and so on), " +
                "CIFAR-10 (data_batch_1.bin … data_batch_5.bin, test_batch.bin), CIFAR-100 (train.bin, test.bin) or image folders " +
                "(train/CLASS/*, test/CLASS/*).");
    }

    private static string FindBuiltIn(string name)
    {
        string? folder = TryFindBuiltIn(name);
        if (folder is not null)
        {
            return folder;
        }

        throw ConvNetException.BadInput(name == DefaultName
            ? $"{name}: data/{DefaultName} is neither next to the program nor above {AppContext.BaseDirectory}. " +
                "Reinstall the program, or give a path."
            : $"{name}: not found in {string.Join(" or ", FullCandidates())}. Install the Debian package dataset-fashion-mnist, " +
                $"or set CONVNET_DATA to the folder that holds {FullName}/.");
    }

    private static IEnumerable<string> FullCandidates()
    {
        yield return DebianFolder;
        if (Environment.GetEnvironmentVariable("CONVNET_DATA") is { Length: > 0 } root)
        {
            yield return Path.Combine(root, FullName);
        }
    }

    private static string? FindMini()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string candidate = Path.Combine(folder, "data", DefaultName);
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
