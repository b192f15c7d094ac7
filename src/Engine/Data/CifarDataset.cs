using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>
/// The binary versions of CIFAR-10 (records of label and 3·32·32 pixels) and CIFAR-100 (coarse label, fine label, pixels; the fine one is
/// used). Pixels are red, green, blue planes, row by row.
/// </summary>
public static class CifarDataset
{
    private const int PixelCount = 3 * 32 * 32;

    /// <summary>Whether the folder has CIFAR-10 (*_batch*.bin) or CIFAR-100 (train.bin, test.bin) files.</summary>
    public static bool IsIn(string folder) => Batches(folder).Length > 0 || Has100(folder);

    /// <summary>Reads the training batches in ordinal order of their names, and the test batch, whose name starts with "test".</summary>
    /// <exception cref="ConvNetException">A file is missing, damaged or of the other format (exit code 3).</exception>
    public static (ImageSet Train, ImageSet Test) Read(string folder)
    {
        if (Has100(folder))
        {
            return (
                ReadSet(folder, "train.bin", [Path.Combine(folder, "train.bin")], 100),
                ReadSet(folder, "test.bin", [Path.Combine(folder, "test.bin")], 100));
        }

        ILookup<bool, string> batches = Batches(folder).ToLookup(
            path => Path.GetFileName(path).StartsWith("test", StringComparison.Ordinal));
        return (ReadSet(folder, "data_batch_1.bin", [.. batches[false]], 10), ReadSet(folder, "test_batch.bin", [.. batches[true]], 10));
    }

    private static bool Has100(string folder) =>
        File.Exists(Path.Combine(folder, "train.bin")) || File.Exists(Path.Combine(folder, "test.bin"));

    private static string[] Batches(string folder)
    {
        string[] paths = Directory.GetFiles(folder, "*_batch*.bin");
        Array.Sort(paths, StringComparer.Ordinal);
        return paths;
    }

    private static ImageSet ReadSet(string folder, string example, string[] paths, int classCount)
    {
        int recordLength = PixelCount + (classCount == 100 ? 2 : 1);
        if (paths.Length == 0 || !File.Exists(paths[0]))
        {
            throw ConvNetException.BadInput(
                $"{folder}: {example} is missing. A CIFAR-{classCount} data set needs training and test files.");
        }

        try
        {
            long count = paths.Sum(path => CountRecords(path, recordLength, classCount));
            if (count * PixelCount > Array.MaxLength)
            {
                throw ConvNetException.BadInput(
                    $"{folder}: {count} images have {count * PixelCount} pixels. At most {Array.MaxLength} fit in memory; use fewer " +
                    "batches.");
            }

            byte[] pixels = new byte[count * PixelCount];
            int[] labels = new int[count];
            int done = 0;
            foreach (string path in paths)
            {
                done += ReadBatch(path, recordLength, classCount, pixels.AsSpan(done * PixelCount), labels.AsSpan(done));
            }

            string[] names = [.. Enumerable.Range(0, classCount).Select(i => i.ToString())];
            return new ImageSet(new Shape(3, 32, 32), pixels, labels, names);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConvNetException.BadInput($"{folder}: cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static long CountRecords(string path, int recordLength, int classCount)
    {
        long length = new FileInfo(path).Length;
        if (length == 0)
        {
            throw ConvNetException.BadInput(
                $"{path}: is empty. A CIFAR-{classCount} file is a sequence of records of {recordLength} bytes; fetch the file again.");
        }

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

    private static int ReadBatch(string path, int recordLength, int classCount, Span<byte> pixels, Span<int> labels)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        int count = (int)(file.Length / recordLength);
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

            labels[i] = label;
            record[^PixelCount..].CopyTo(pixels[(i * PixelCount)..]);
        }

        return count;
    }
}
