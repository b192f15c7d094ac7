using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>The four IDX files of MNIST and Fashion-MNIST, plain or with .gz: one channel, ten classes.</summary>
public static class IdxDataset
{
    private const int ClassCount = 10;

    /// <summary>Whether the folder has at least one of the four files.</summary>
    public static bool IsIn(string folder) =>
        new[] { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" }
            .Any(name => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, name + ".gz")));

    /// <summary>Reads all four files.</summary>
    /// <param name="classNames">Ten names; null: 0 … 9.</param>
    /// <exception cref="ConvNetException">A file is missing or damaged, or images and labels don't agree (exit code 3).</exception>
    public static (ImageSet Train, ImageSet Test) Read(string folder, IReadOnlyList<string>? classNames = null)
    {
        classNames ??= [.. Enumerable.Range(0, ClassCount).Select(i => i.ToString())];
        return (ReadSet(folder, "train", classNames), ReadSet(folder, "t10k", classNames));
    }

    private static ImageSet ReadSet(string folder, string prefix, IReadOnlyList<string> classNames)
    {
        IdxFile images = IdxFile.Read(Find(folder, $"{prefix}-images-idx3-ubyte"), 3);
        IdxFile labels = IdxFile.Read(Find(folder, $"{prefix}-labels-idx1-ubyte"), 1);
        if (images.Sizes[0] != labels.Sizes[0])
        {
            throw ConvNetException.BadInput(
                $"{images.Path} has {images.Sizes[0]} images and {labels.Path} has {labels.Sizes[0]} labels. The counts must be " +
                "equal; the files don't belong together.");
        }

        int[] classes = new int[labels.Data.Length];
        for (int i = 0; i < classes.Length; i++)
        {
            classes[i] = labels.Data[i];
            if (classes[i] >= classNames.Count)
            {
                throw ConvNetException.BadInput(
                    $"{labels.Path}: label {classes[i]} at byte {8 + i} (image {i}). Labels must lie in 0 … {classNames.Count - 1}; " +
                    "use an image folder for more classes.");
            }
        }

        return new ImageSet(new Shape(1, images.Sizes[1], images.Sizes[2]), images.Data, classes, classNames);
    }

    private static string Find(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (File.Exists(path))
        {
            return path;
        }

        return File.Exists(path + ".gz")
            ? path + ".gz"
            : throw ConvNetException.BadInput(
                $"{folder}: neither {name} nor {name}.gz is there. An IDX data set needs train-images, train-labels, t10k-images and " +
                "t10k-labels.");
    }
}
