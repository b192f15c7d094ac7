using System.Globalization;
using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>
/// The binary versions of CIFAR-10 (records of label and 3·32·32 pixels) and CIFAR-100 (coarse label, fine label, pixels; the fine one is
/// used). Pixels are red, green, blue planes, row by row. Files count by their exact names: copies and left-overs are not mixed in.
/// </summary>
public static partial class CifarDataset
{
    private const int PixelCount = 3 * 32 * 32;
    private const int BatchCount = 5;
    private const int MaxNamesLength = 1 << 16;

    private static readonly string[] Names10 = [.. Enumerable.Range(1, BatchCount).Select(i => $"data_batch_{i}.bin"), "test_batch.bin"];
    private static readonly string[] Names100 = ["train.bin", "test.bin"];

    /// <summary>Whether the folder has at least one file of CIFAR-10 (data_batch_1.bin … data_batch_5.bin, test_batch.bin) or CIFAR-100
    /// (train.bin, test.bin).</summary>
    public static bool IsIn(string folder) => Has(folder, Names10) || Has(folder, Names100);

    /// <summary>Reads the training batches in the order of their numbers, and the test batch.</summary>
    /// <param name="remarks">Receives what was passed over and what is missing.</param>
    /// <exception cref="ConvNetException">A file is missing, damaged or of the other format (exit code 3).</exception>
    public static (ImageSet Train, ImageSet Test) Read(string folder, ICollection<string> remarks)
    {
        bool is100 = Has(folder, Names100);
        if (is100 && Has(folder, Names10))
        {
            throw ConvNetException.BadInput(
                $"{folder}: has files of CIFAR-10 (data_batch_*.bin, test_batch.bin) and of CIFAR-100 (train.bin, test.bin). Keep each data set in a " +
                "folder of its own.");
        }

        Ignored.Add(folder, name => LooksLikeBatch().IsMatch(name) && !(is100 ? Names100 : Names10).Contains(name), "no name of a CIFAR file", remarks);
        if (is100)
        {
            string[] names = ClassNames(folder, "fine_label_names.txt", 100);
            return (ReadSet(folder, [Names100[0]], names), ReadSet(folder, [Names100[1]], names));
        }

        string[] batches = [.. Names10[..BatchCount].Where(name => File.Exists(Path.Combine(folder, name)))];
        if (batches.Length is > 0 and < BatchCount)
        {
            remarks.Add($"only {batches.Length} of the {BatchCount} training batches of CIFAR-10 are there: {string.Join(", ", batches)}");
        }

        string[] classes = ClassNames(folder, "batches.meta.txt", 10);
        return (ReadSet(folder, batches.Length == 0 ? [Names10[0]] : batches, classes), ReadSet(folder, [Names10[^1]], classes));
    }

    private static bool Has(string folder, string[] names) => names.Any(name => File.Exists(Path.Combine(folder, name)));

    [GeneratedRegex(@"(batch.*|^(Copy of )?(train|test)\b.*)\.bin$", RegexOptions.IgnoreCase)]
    private static partial Regex LooksLikeBatch();

    // One name a line; the originals end with an empty one.
    private static string[] ClassNames(string folder, string file, int count)
    {
        string path = Path.Combine(folder, file);
        if (!File.Exists(path))
        {
            return [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        }

        string[] names = [.. TextFile.Read(path, path, MaxNamesLength).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        return names.Length == count && names.Distinct().Count() == count
            ? names
            : throw ConvNetException.BadInput(
                $"{path}: has {names.Distinct().Count()} different names of classes; CIFAR-{count} has {count}, one a line. Fetch it again or remove it.");
    }

    private static ImageSet ReadSet(string folder, string[] names, string[] classes)
    {
        int classCount = classes.Length;
        int recordLength = PixelCount + (classCount == 100 ? 2 : 1);
        string[] paths = [.. names.Select(name => Path.Combine(folder, name))];
        if (!File.Exists(paths[0]))
        {
            throw ConvNetException.BadInput(
                $"{folder}: {names[0]} is missing. A CIFAR-{classCount} data set needs training and test files.");
        }

        try
        {
            long count = paths.Sum(path => CountRecords(path, recordLength, classCount));
            var shape = new Shape(3, 32, 32);
            ImageBlocks pixels = ImageBlocks.Allocate(folder, shape, count);
            int[] labels = new int[count];
            int done = 0;
            foreach (string path in paths)
            {
                done += ReadBatch(path, recordLength, classCount, pixels, labels, done);
            }

            return new ImageSet(shape, pixels, labels, classes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{folder}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static long CountRecords(string path, int recordLength, int classCount)
    {
        long length = OrdinaryFile.Length(path);
        if (length % recordLength != 0)
        {
            int other = recordLength == PixelCount + 1 ? 100 : 10;
            string hint = length % (recordLength == PixelCount + 1 ? PixelCount + 2 : PixelCount + 1) == 0
                ? $" The length fits CIFAR-{other}: name the files as that data set does."
                : " The file is cut off or something else; fetch it again.";
            throw ConvNetException.BadInput(
                $"{path}: {length} bytes are not a multiple of {recordLength}, the record of CIFAR-{classCount}: the last record, at " +
                $"byte {length - (length % recordLength)}, has {length % recordLength}.{hint}");
        }

        return length / recordLength;
    }

    private static int ReadBatch(string path, int recordLength, int classCount, ImageBlocks pixels, int[] labels, int first)
    {
        using FileStream file = OrdinaryFile.Open(path);
        int count = (int)Math.Min(file.Length / recordLength, labels.Length - first);
        Span<byte> record = stackalloc byte[recordLength];
        for (int i = 0; i < count; i++)
        {
            file.ReadExactly(record);
            int label = record[recordLength - PixelCount - 1];
            if (label >= classCount)
            {
                throw ConvNetException.BadInput(
                    $"{path}: label {label} at byte {((long)(i + 1) * recordLength) - PixelCount - 1} (image {i}). Labels of " +
                    $"CIFAR-{classCount} lie in 0 … {classCount - 1}; the file is damaged or something else.");
            }

            labels[first + i] = label;
            record[^PixelCount..].CopyTo(pixels[first + i]);
        }

        return count;
    }
}
