using System.Globalization;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>
/// The four IDX files of MNIST and its kin, plain or with .gz: one channel, and as many classes as the labels say, at most 256. Names are
/// [SET-](train|t10k|test)-(images-idx3|labels-idx1)-ubyte[.gz], also with a point before idx; EMNIST writes its split before them.
/// </summary>
public static partial class IdxDataset
{
    private static readonly string[] TestParts = ["t10k", "test"];

    /// <summary>Whether the folder has at least one of the four files.</summary>
    public static bool IsIn(string folder) => Files(folder).Count > 0;

    /// <summary>Reads all four files.</summary>
    /// <param name="remarks">Receives what was passed over.</param>
    /// <param name="classNames">Null: the numbers from 0 to the largest label.</param>
    /// <exception cref="ConvNetException">A file is missing or damaged, or images and labels don't agree (exit code 3).</exception>
    public static (ImageSet Train, ImageSet Test) Read(string folder, ICollection<string> remarks, IReadOnlyList<string>? classNames = null)
    {
        List<Match> files = Files(folder);
        string[] sets = [.. files.Select(file => file.Groups["set"].Value).Distinct().Order(StringComparer.Ordinal)];
        if (sets.Length > 1)
        {
            string list = string.Join(", ", sets.Select(set => $"{set}train-images…"));
            throw ConvNetException.BadInput($"{folder}: has {sets.Length} IDX data sets ({list}). Keep the four files of one in a folder of its own.");
        }

        Ignored.Add(
            folder,
            name => name.Contains("idx", StringComparison.OrdinalIgnoreCase) && !Pattern().IsMatch(name),
            "no name of an IDX file",
            remarks);
        if (sets[0].StartsWith("emnist-", StringComparison.Ordinal))
        {
            remarks.Add("EMNIST stores its images with rows and columns exchanged; they are taken as stored");
        }

        (IdxFile Images, IdxFile Labels) train = ReadPair(folder, files, ["train"], remarks);
        (IdxFile Images, IdxFile Labels) test = ReadPair(folder, files, TestParts, remarks);
        int largest = Math.Max(train.Labels.Data.Max(), test.Labels.Data.Max());
        classNames ??= [.. Enumerable.Range(0, largest + 1).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        return (ToSet(train, classNames), ToSet(test, classNames));
    }

    [GeneratedRegex(@"^(?<set>([a-z0-9]+-)*)(?<part>train|t10k|test)-(?<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?\z")]
    private static partial Regex Pattern();

    private static List<Match> Files(string folder) =>
    [
        .. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)
            .Select(name => Pattern().Match(name)).Where(match => match.Success),
    ];

    private static (IdxFile Images, IdxFile Labels) ReadPair(string folder, List<Match> files, string[] parts, ICollection<string> remarks)
    {
        IdxFile images = IdxFile.Read(Find(folder, files, parts, "images", 3, remarks), 3);
        IdxFile labels = IdxFile.Read(Find(folder, files, parts, "labels", 1, remarks), 1);
        return images.Sizes[0] == labels.Sizes[0]
            ? (images, labels)
            : throw ConvNetException.BadInput(
                $"{images.Path} has {images.Sizes[0]} images and {labels.Path} has {labels.Sizes[0]} labels. The counts must be " +
                "equal; the files don't belong together.");
    }

    private static ImageSet ToSet((IdxFile Images, IdxFile Labels) files, IReadOnlyList<string> classNames)
    {
        int[] classes = new int[files.Labels.Data.Length];
        for (int i = 0; i < classes.Length; i++)
        {
            classes[i] = files.Labels.Data[i];
            if (classes[i] >= classNames.Count)
            {
                throw ConvNetException.BadInput(
                    $"{files.Labels.Path}: label {classes[i]} at byte {8 + i} (image {i}). Labels must lie in 0 … {classNames.Count - 1}.");
            }
        }

        return new ImageSet(new Shape(1, files.Images.Sizes[1], files.Images.Sizes[2]), files.Images.Data, classes, classNames);
    }

    private static string Find(string folder, List<Match> files, string[] parts, string kind, int sizes, ICollection<string> remarks)
    {
        string[] names =
        [
            .. files.Where(file => parts.Contains(file.Groups["part"].Value) && file.Groups["kind"].Value == kind).Select(file => file.Value),
        ];
        if (names.Length == 0)
        {
            string name = $"{files[0].Groups["set"].Value}{parts[0]}-{kind}-idx{sizes}-ubyte";
            throw ConvNetException.BadInput(
                $"{folder}: neither {name} nor {name}.gz is there. An IDX data set needs train-images, train-labels, t10k-images and " +
                "t10k-labels.");
        }

        // In ordinal order, so that an unpacked file comes before the .gz that it was unpacked from.
        if (names.Length > 2 || (names.Length == 2 && names[1] != names[0] + ".gz"))
        {
            throw ConvNetException.BadInput($"{folder}: {string.Join(" and ", names)} are the same part of a data set. Keep one of them.");
        }

        Ignored.Add(names[1..], $"{names[0]} is there", remarks);
        return Path.Combine(folder, names[0]);
    }
}
