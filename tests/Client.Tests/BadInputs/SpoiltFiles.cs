using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using SkiaSharp;

namespace ConvNet.Client.Tests.BadInputs;

/// <summary>Good files in a folder of their own, one of which a test spoils.</summary>
internal sealed class SpoiltFiles(string goodCheckpoint) : IDisposable
{
    public const int Images = 12, Side = 4;
    private const string IdxImages = "data/train-images-idx3-ubyte";

    public static byte[] GoodImages { get; } = IdxOf([Images, Side, Side], [.. Enumerable.Range(0, Images * Side * Side).Select(i => (byte)(i * 7))]);

    public static byte[] GoodLabels { get; } = IdxOf([Images], [.. Enumerable.Range(0, Images).Select(i => (byte)(i % 2))]);

    public TemporaryFolder Folder { get; } = new();

    public void Dispose() => Folder.Dispose();

    /// <summary>A data set of two classes in IDX files, the training images perhaps others.</summary>
    public string Idx(byte[]? images = null, byte[]? labels = null, bool isGzip = false)
    {
        Folder.Write(IdxImages + (isGzip ? ".gz" : ""), images ?? GoodImages);
        Folder.Write("data/train-labels-idx1-ubyte", labels ?? GoodLabels);
        Folder.Write("data/t10k-images-idx3-ubyte", GoodImages);
        Folder.Write("data/t10k-labels-idx1-ubyte", GoodLabels);
        return Folder["data"];
    }

    /// <summary>A data set with a pipe in place of a file.</summary>
    public string IdxWithPipe()
    {
        string data = Idx();
        File.Delete(Folder[IdxImages]);
        Pipe(IdxImages);
        return data;
    }

    public string Pipe(string name)
    {
        using Process made = Process.Start("mkfifo", Folder[name]);
        made.WaitForExit();
        return Folder[name];
    }

    /// <summary>A data set of two batches in the format of CIFAR-10.</summary>
    public string Cifar(params byte[] training)
    {
        Folder.Write("cifar/data_batch_1.bin", training);
        Folder.Write("cifar/test_batch.bin", CifarRecord(1));
        return Folder["cifar"];
    }

    /// <summary>A data set of two classes in folders, and one more file, train/a/<paramref name="name"/>.</summary>
    public string Pictures(string name, byte[] content)
    {
        Pictures();
        Folder.Write($"pictures/train/a/{name}", content);
        return Folder["pictures"];
    }

    public string Pictures()
    {
        foreach (string image in (string[])["train/a/1", "train/b/1", "test/a/1", "test/b/1"])
        {
            Folder.Write($"pictures/{image}.png", Png(Side, Side));
        }

        return Folder["pictures"];
    }

    /// <summary>A copy of the good checkpoint with something wrong in it.</summary>
    public string Checkpoint(Action<SpoiltCheckpoint> spoil)
    {
        string copy = Folder["run/checkpoints/" + Path.GetFileName(goodCheckpoint)];
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(goodCheckpoint))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        spoil(new SpoiltCheckpoint(copy));
        return copy;
    }

    public static byte[] CifarRecord(params byte[] labels) => [.. labels, .. new byte[3072]];

    public static byte[] Gzip(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return memory.ToArray();
    }

    /// <summary>A gzip file that says at its end that it holds more than it does.</summary>
    public static byte[] GzipOfClaimedLength(byte[] content, uint length)
    {
        byte[] gzip = Gzip(content);
        BinaryPrimitives.WriteUInt32LittleEndian(gzip.AsSpan(^4), length);
        return gzip;
    }

    public static byte[] IdxOf(uint[] sizes, byte[] data)
    {
        byte[] header = [0, 0, 8, (byte)sizes.Length, .. sizes.SelectMany(size => BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(size)))];
        return [.. header, .. data];
    }

    public static byte[] Png(int width, int height) => Encode(width, height, SKEncodedImageFormat.Png);

    public static byte[] Jpeg(int width, int height) => Encode(width, height, SKEncodedImageFormat.Jpeg);

    /// <summary>A PNG whose header claims another size, with the right checksum.</summary>
    public static byte[] PngOfClaimedSize(int width, int height)
    {
        byte[] png = Png(Side, Side);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), System.IO.Hashing.Crc32.HashToUInt32(png.AsSpan(12, 17)));
        return png;
    }

    private static byte[] Encode(int width, int height, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        for (int i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((byte)(i * 7), (byte)(i * 7), (byte)(i * 7)));
        }

        using SKData data = bitmap.Encode(format, 95);
        return data.ToArray();
    }
}
