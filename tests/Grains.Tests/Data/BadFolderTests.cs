using System.Diagnostics;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Data;
using SkiaSharp;
using Xunit;
using static ConvNet.Grains.Tests.Data.DrawnImages;

namespace ConvNet.Grains.Tests.Data;

/// <summary>Folders as people bring them, with one fault each.</summary>
public sealed class BadFolderTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>What is wrong, the name that the sentence must have, what it must say, and how the good folder is spoilt.</summary>
    private static readonly (string Fault, string Name, string Rule, Action<TemporaryFolder> Spoil)[] Folders =
    [
        ("nothing", "/data", "no data set found: none of these is there", data => Remove(data, "train", "test")),
        ("a file in its place", "/data", "is a file. Give the folder", data => { Directory.Delete(data["data"], true); data.Write("data", [1]); }),
        ("no folder", "/data", "no such folder", data => Directory.Delete(data["data"], true)),
        ("no test images", "/data", "only train/ is there", data => Remove(data, "test")),
        ("no training images", "/data", "only test/ is there", data => Remove(data, "train")),
        ("a file by the name of train", "/data", "only test/ is there", data => { Remove(data, "train"); data.Write("data/train", [1]); }),
        ("two folders of training images", "/data", "Keep one folder of training images", data => data.Write("data/Training/a/1.png", Grey(4, 3, 1))),
        ("a class without images", "train/c", "has no images", data => Directory.CreateDirectory(data["data/train/c"])),
        ("a class of foreign files", "train/c", "has no images", data => data.Write("data/train/c/Thumbs.db", [1])),
        ("a class of hidden files", "train/c", "has no images", data => data.Write("data/train/c/.1.png", Grey(4, 3, 1))),
        ("one class", "/train", "has 1 class folders", data => Remove(data, "train/b", "test/b")),
        ("a class in test only", "/test", "the class c is not in train/", data => data.Write("data/test/c/1.png", Grey(4, 3, 1))),
        ("a class in another case in test", "/test", "the class B is not in train/", data => Directory.Move(data["data/test/b"], data["data/test/B"])),
        ("no images in test", "/test", "has no images for testing", data => Remove(data, "test/a", "test/b")),
        ("two folders of one name in Unicode", "/train/caf\u00E9", "differs in Unicode normalization only", data =>
        {
            data.Write("data/train/caf\u00E9/1.png", Grey(4, 3, 1));
            data.Write("data/train/cafe\u0301/1.png", Grey(4, 3, 1));
        }),
        ("a class of a name that is no UTF-8", "/train/", "the name is not UTF-8", data => Shell(data, @"cp -r train/b train/$'\xff\xfe'")),
        ("a file of a name that is no UTF-8", "/train/a/", "the name is not UTF-8", data => Shell(data, @"cp train/b/1.png train/a/$'\xff.png'")),
        ("a folder within a class", "train/a/more", "is a folder", data => data.Write("data/train/a/more/1.png", Grey(4, 3, 1))),
        (
            "text by the name of a JPEG", "a/x.jpg", "is no PNG, JPEG, WebP, BMP or GIF: it starts with 68656c6c6f",
            data => data.Write("data/train/a/x.jpg", "hello")),
        ("a web page by the name of a PNG", "a/x.png", "is no PNG", data => data.Write("data/train/a/x.png", "<html></html>")),
        ("a drawing by the name of a GIF", "a/x.gif", "is no PNG", data => data.Write("data/train/a/x.gif", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")),
        ("a file without bytes", "a/x.png", "has only 0 bytes", data => data.Write("data/train/a/x.png")),
        ("a TIFF", "a/x.tiff", "images of this kind (.tiff) are not read", data => data.Write("data/train/a/x.tiff", [1])),
        ("a picture of a telephone", "a/X.HEIC", "images of this kind (.HEIC) are not read", data => data.Write("data/train/a/X.HEIC", [1])),
        ("a PNG cut off in its header", "a/x.png", "the PNG chunk at byte 8 is cut off", data => data.Write("data/train/a/x.png", Grey(4, 3, 1)[..20])),
        (
            "a PNG cut off in its pixels", "a/x.png", "is cut off",
            data => data.Write("data/train/a/x.png", Encode(Noise(4, 3), SKEncodedImageFormat.Png)[..^30])),
        ("a PNG with a bit changed", "a/x.png", "does not have its CRC-32", data => data.Write("data/train/a/x.png", Changed(Grey(4, 3, 1), ^22))),
        ("a PNG of width 0", "a/x.png", "the PNG header cannot be read", data => data.Write("data/train/a/x.png", Sized(0, 3))),
        ("a PNG of 10 gigapixels", "a/x.png", "claims 100000x100000", data => data.Write("data/train/a/x.png", Sized(100_000, 100_000))),
        ("a PNG that cannot hold its pixels", "a/x.png", "bytes can hold", data => data.Write("data/train/a/x.png", Sized(8_000, 8_000))),
        ("half a JPEG", "a/x.jpg", "cannot be decoded", data => data.Write("data/train/a/x.jpg", Encode(Noise(4, 3), SKEncodedImageFormat.Jpeg)[..^20])),
        ("half a WebP", "a/x.webp", "cannot be decoded", data => data.Write("data/train/a/x.webp", Encode(Noise(4, 3), SKEncodedImageFormat.Webp)[..^10])),
        ("half a BMP", "a/x.bmp", "cannot be decoded", data => data.Write("data/train/a/x.bmp", Bmp(4, 3)[..60])),
        ("a GIF without a frame", "a/x.gif", "the GIF header cannot be read", data => data.Write("data/train/a/x.gif", PictureFiles.GifWithKey[..13])),
        ("images of two sizes", "a/x.png", "is 8x9 (height x width), but", data => data.Write("data/train/a/x.png", Grey(9, 8, 1))),
        ("a link to nothing", "a/x.png", "is a link to gone.png, where nothing is", data => File.CreateSymbolicLink(data["data/train/a/x.png"], "gone.png")),
        ("a link to itself", "a/x.png", "the link to x.png cannot be read", data => File.CreateSymbolicLink(data["data/train/a/x.png"], "x.png")),
        ("a class that is a link to itself", "train/c", "the link to c cannot be read", data => Directory.CreateSymbolicLink(data["data/train/c"], "c")),
        (
            "an image outside", "a/x.png", "outside the data set",
            data => File.CreateSymbolicLink(data["data/train/a/x.png"], data.Write("x.png", Grey(4, 3, 1)))),
        ("a class outside", "train/c", "is a link to /usr/bin, outside the data set", data => Directory.CreateSymbolicLink(data["data/train/c"], "/usr/bin")),
        ("a link to a folder as image", "a/x.png", "is a folder", data => Directory.CreateSymbolicLink(data["data/train/a/x.png"], "../b")),
        ("a pipe as image", "a/x.png", "a pipe, a socket or a device", data => Shell(data, "mkfifo train/a/x.png")),
        (
            "a data set of another format beside", "/data", "has more than one data set: IDX files and image folders",
            data => data.Write("data/train-labels-idx1-ubyte", [1])),
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Faults => [.. Folders.Select(folder => folder.Fault)];

    public BadFolderTests()
    {
        foreach (string image in (string[])["train/a/1", "train/b/1", "test/a/1", "test/b/1"])
        {
            _folder.Write($"data/{image}.png", Grey(4, 3, 50));
        }
    }

    public void Dispose()
    {
        // Names that are no UTF-8 are beyond .NET.
        if (Directory.Exists(_folder["data"]))
        {
            Shell(_folder, "rm -rf train test");
        }

        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_bad_folder_is_refused_in_one_sentence_that_names_the_file_and_the_rule(string fault)
    {
        Assert.Equal(2, DataCatalog.Open(_folder["data"]).Train.Count);
        (_, string name, string rule, Action<TemporaryFolder> spoil) = Folders.Single(folder => folder.Fault == fault);
        spoil(_folder);

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(
            () => Task.Run(() => DataCatalog.Open(_folder["data"])).WaitAsync(Deadline, TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.StartsWith(_folder["data"], error.Message);
        Assert.Contains(name, error.Message);
        Assert.Contains(rule, error.Message);
        Assert.EndsWith(".", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("System.", error.Message);
    }

    private static void Remove(TemporaryFolder data, params string[] names)
    {
        foreach (string name in names)
        {
            Directory.Delete(data[$"data/{name}"], true);
        }
    }

    private static void Shell(TemporaryFolder data, string command)
    {
        using Process made = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = data["data"] })!;
        made.WaitForExit();
        Assert.Equal(0, made.ExitCode);
    }

    private static byte[] Changed(byte[] file, Index at)
    {
        file[at] ^= 0x10;
        return file;
    }

    /// <summary>A black picture of 24 bits a pixel without compression.</summary>
    private static byte[] Bmp(byte width, byte height) =>
    [
        (byte)'B', (byte)'M', 0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, width, 0, 0, 0, height, 0, 0, 0, 1, 0, 24, 0,
        .. new byte[24 + (height * ((width * 3) + 3) / 4 * 4)],
    ];

    /// <summary>A PNG whose header claims a size, with the right checksum.</summary>
    private static byte[] Sized(int width, int height)
    {
        byte[] png = Grey(4, 3, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        WriteCrc(png.AsSpan(12, 21));
        return png;
    }
}
