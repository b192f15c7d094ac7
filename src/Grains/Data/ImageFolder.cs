using System.Runtime.ExceptionServices;
using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Grains.Data;

/// <summary>
/// A data set as folders of images: train/CLASS/* and test/CLASS/*. Classes are the subfolders of train, files are taken by name, both in
/// ordinal order; hidden files are ignored. If every image is grey the set has one channel, else three.
/// </summary>
public static class ImageFolder
{
    private sealed record Entry(string Path, int Label);

    /// <param name="root">Holds train/ and test/.</param>
    /// <param name="resize">Null: all images must have the size of the first one.</param>
    /// <exception cref="ConvNetException">
    /// No classes, an empty class, foreign or damaged files, different sizes (exit code 3).
    /// </exception>
    public static (ImageSet Train, ImageSet Test) Read(string root, Size? resize)
    {
        try
        {
            CheckInside(new DirectoryInfo(Path.Combine(root, "train")), root);
            CheckInside(new DirectoryInfo(Path.Combine(root, "test")), root);
            string[] classes = Classes(Path.Combine(root, "train"));
            if (classes.Length < 2)
            {
                throw ConvNetException.BadInput(
                    $"{Path.Combine(root, "train")}: has {classes.Length} class folders. At least two are needed: train/CLASS/IMAGE.");
            }

            string[] foreign = [.. Classes(Path.Combine(root, "test")).Except(classes, StringComparer.Ordinal)];
            if (foreign.Length > 0)
            {
                throw ConvNetException.BadInput(
                    $"{Path.Combine(root, "test")}: the class {Shown(foreign[0])} is not in train/. Every class needs training images.");
            }

            List<Entry> train = List(root, "train", classes, allowMissing: false);
            List<Entry> test = List(root, "test", classes, allowMissing: true);
            if (test.Count == 0)
            {
                throw ConvNetException.BadInput($"{Path.Combine(root, "test")}: has no images. At least one is needed: test/CLASS/IMAGE.");
            }

            // The headers decide size and channels before anything is decoded, so that the memory can be checked.
            Size size = resize ?? ImageDecoder.ReadHeader(train[0].Path).Size;
            bool color = false;
            foreach (Entry entry in train.Concat(test))
            {
                ImageHeader header = ImageDecoder.ReadHeader(entry.Path);
                if (resize is null && header.Size != size)
                {
                    throw ConvNetException.BadInput(
                        $"{Shown(entry.Path)}: is {header.Size.H}x{header.Size.W} (height x width), but {Shown(train[0].Path)} is " +
                        $"{size.H}x{size.W}. All images must have one size; set -s data.size={size.H}x{size.W} to resize them.");
                }

                color |= header.Color;
            }

            var shape = new Shape(color ? 3 : 1, size.H, size.W);
            return (Decode(root, train, shape, classes), Decode(root, test, shape, classes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{Shown(root)}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>A file name with its control and direction characters made visible, fit for a terminal.</summary>
    internal static string Shown(string name) => PrintableText.Of(name);

    private static string[] Classes(string folder)
    {
        string[] names = [.. new DirectoryInfo(folder).GetDirectories().Where(info => !IsHidden(info)).Select(info => info.Name)];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    private static List<Entry> List(string root, string part, string[] classes, bool allowMissing)
    {
        var entries = new List<Entry>();
        for (int label = 0; label < classes.Length; label++)
        {
            var folder = new DirectoryInfo(Path.Combine(root, part, classes[label]));
            if (allowMissing && !folder.Exists)
            {
                continue;
            }

            CheckInside(folder, root);
            FileSystemInfo[] files = [.. folder.GetFileSystemInfos().Where(info => !IsHidden(info))];
            Array.Sort(files, (a, b) => string.CompareOrdinal(a.Name, b.Name));
            foreach (FileSystemInfo file in files)
            {
                CheckInside(file, root);
                if (file is DirectoryInfo)
                {
                    throw ConvNetException.BadInput($"{Shown(file.FullName)}: is a folder. Class folders hold images only.");
                }

                entries.Add(new Entry(file.FullName, label));
            }

            if (files.Length == 0 && !allowMissing)
            {
                throw ConvNetException.BadInput(
                    $"{Shown(folder.FullName)}: has no images. Every class needs at least one; remove the folder if the class is not " +
                    "wanted.");
            }
        }

        return entries;
    }

    private static bool IsHidden(FileSystemInfo info) => info.Name.StartsWith('.');

    // A link may point elsewhere within the data set, but not out of it, nor in a circle.
    private static void CheckInside(FileSystemInfo info, string root)
    {
        if (info.LinkTarget is null)
        {
            return;
        }

        string real = Real(info);
        if (!Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), real) && !Contains(Real(new DirectoryInfo(root)), real))
        {
            throw ConvNetException.BadInput(
                $"{Shown(info.FullName)}: is a link to {Shown(real)}, outside the data set. Copy the files into it.");
        }
    }

    private static bool Contains(string folder, string path) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string Real(FileSystemInfo info) =>
        Path.TrimEndingDirectorySeparator((info.ResolveLinkTarget(returnFinalTarget: true) ?? info).FullName);

    private static ImageSet Decode(string root, List<Entry> entries, Shape shape, string[] classes)
    {
        long length = (long)entries.Count * shape.Count;
        if (length > Array.MaxLength)
        {
            throw ConvNetException.BadInput(
                $"{Shown(root)}: {entries.Count} images of {shape} have {length} pixels. At most {Array.MaxLength} fit in memory; set " +
                "a smaller -s data.size=HxW.");
        }

        byte[] pixels = new byte[length];
        try
        {
            Parallel.For(0, entries.Count, i => ImageDecoder.Decode(entries[i].Path, shape, pixels.AsSpan(i * shape.Count, shape.Count)));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        return new ImageSet(shape, pixels, [.. entries.Select(entry => entry.Label)], classes);
    }
}
