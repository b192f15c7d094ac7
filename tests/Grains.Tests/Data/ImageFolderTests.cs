using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Grains.Data;
using SkiaSharp;
using Xunit;

namespace ConvNet.Grains.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ImageFolderTests()
    {
        _folder.Write("train/b/2.png", Grey(4, 3, 100));
        _folder.Write("train/b/1.png", Grey(4, 3, 50));
        _folder.Write("train/B/1.png", Grey(4, 3, 10));
        _folder.Write("test/b/1.png", Grey(4, 3, 200));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classes_and_files_come_in_ordinal_order()
    {
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(["B", "b"], data.ClassNames);
        Assert.Equal(new Shape(1, 3, 4), data.Shape);
        Assert.Equal([0, 1, 1], data.Train.Labels.ToArray());
        Assert.Equal([1], data.Test.Labels.ToArray());
        Assert.Equal([10, 50, 100], Enumerable.Range(0, 3).Select(i => (int)data.Train.Image(i)[0]));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (byte)(50 + i)), data.Train.Image(1).ToArray());
    }

    [Fact]
    public void One_color_image_makes_the_whole_set_three_channels()
    {
        _folder.Write("test/b/2.png", Encode(Color(4, 3), SKEncodedImageFormat.Png));
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(new Shape(3, 3, 4), data.Shape);
        byte[] grey = data.Train.Image(1).ToArray();
        Assert.Equal(grey[..12], grey[12..24]);
        byte[] color = data.Test.Image(1).ToArray();
        Assert.Equal([0, 1, 2], color[..3]);
        Assert.Equal(100, color[12]);
        Assert.Equal(200, color[24]);
    }

    [Fact]
    public void Jpeg_is_recognized_by_its_content()
    {
        _folder.Write("test/b/2.txt", Encode(Color(4, 3), SKEncodedImageFormat.Jpeg));
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(3, data.Shape.C);
        Assert.InRange((int)data.Test.Image(1)[12], 90, 110);
    }

    [Fact]
    public void Real_images_keep_their_pixels()
    {
        Dataset mini = DatasetFiles.Open("fashion-mnist-mini");
        using var folder = new TemporaryFolder();
        for (int i = 0; i < 40; i++)
        {
            byte[] png = Encode(Bitmap(28, 28, mini.Train.Image(i).ToArray()), SKEncodedImageFormat.Png);
            folder.Write($"{(i < 30 ? "train" : "test")}/{mini.Train.Labels[i]}/{i:00}.png", png);
        }

        for (int label = 0; label < 10; label++)
        {
            folder.Write($"train/{label}/99.png", Grey(28, 28, 0));
        }

        Dataset data = DataCatalog.Open(folder.Path);
        Assert.Equal(new Shape(1, 28, 28), data.Shape);
        int index = Enumerable.Range(0, 30).Count(i => mini.Train.Labels[i] == 0 && i < 20) - 1;
        int original = Enumerable.Range(0, 20).Last(i => mini.Train.Labels[i] == 0);
        Assert.Equal(mini.Train.Image(original).ToArray(), data.Train.Image(index).ToArray());
    }

    [Fact]
    public void Other_sizes_are_refused_or_resized_on_demand()
    {
        _folder.Write("train/b/3.png", Grey(8, 8, 0));
        Refused("3.png", "is 8x8", "is 3x4", "data.size=3x4");
        Dataset data = DataCatalog.Open(_folder.Path, "6x5");
        Assert.Equal(new Shape(1, 6, 5), data.Shape);
        Assert.Contains("HEIGHTxWIDTH", Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path, "6")).Message);
        Assert.Contains("HEIGHTxWIDTH", Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path, "0x99999999999")).Message);
        Assert.Contains("only image folders", Assert.Throws<ConvNetException>(() => DataCatalog.Open("fashion-mnist-mini", "32x32")).Message);
    }

    [Fact]
    public void Files_that_are_no_images_are_refused()
    {
        _folder.Write("train/b/3.png", "<html></html>"u8.ToArray());
        Refused("3.png", "neither PNG nor JPEG", "3c68746d");
        _folder.Write("train/b/3.png");
        Refused("3.png", "nothing");
    }

    [Fact]
    public void Damaged_images_are_refused()
    {
        byte[] jpeg = Encode(Noise(64, 64), SKEncodedImageFormat.Jpeg);
        _folder.Write("train/b/3.png", jpeg[..(jpeg.Length / 2)]);
        Refused("3.png", "is 64x64");
        Assert.Contains("cannot be decoded", Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path, "64x64")).Message);
        byte[] png = Grey(4, 3, 0);
        _folder.Write("train/b/3.png", png[..20]);
        Refused("3.png", "header cannot be read");
    }

    [Fact]
    public void A_header_that_claims_a_huge_image_is_refused_before_decoding()
    {
        byte[] png = Grey(4, 3, 0);
        byte[] size = [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0];
        size.CopyTo(png, 16);
        WriteCrc(png.AsSpan(12, 21));
        _folder.Write("train/b/3.png", png);
        Refused("3.png", "100000x100000", "67108864");
    }

    [Fact]
    public void Classes_need_images_and_there_must_be_two()
    {
        Directory.CreateDirectory(_folder["train/c"]);
        Refused("train/c", "has no images");
        Directory.Delete(_folder["train/c"]);
        _folder.Write("test/d/1.png", Grey(4, 3, 0));
        Refused("the class d is not in train");
        Directory.Delete(_folder["test/d"], true);
        Directory.Delete(_folder["train/B"], true);
        Refused("has 1 class folders");
    }

    [Fact]
    public void Links_out_of_the_data_set_and_loops_are_refused()
    {
        using var elsewhere = new TemporaryFolder();
        File.CreateSymbolicLink(_folder["train/b/3.png"], elsewhere.Write("x.png", Grey(4, 3, 0)));
        Refused("3.png", "outside the data set");
        File.Delete(_folder["train/b/3.png"]);
        File.CreateSymbolicLink(_folder["train/b/3.png"], _folder["train/b/1.png"]);
        Assert.Equal(4, DataCatalog.Open(_folder.Path).Train.Count);
        File.Delete(_folder["train/b/3.png"]);
        File.CreateSymbolicLink(_folder["train/b/3.png"], _folder["train/b/3.png"]);
        Refused("cannot be read");
    }

    [Fact]
    public void Strange_names_are_shown_without_control_characters()
    {
        _folder.Write("train/b/\u202Eevil\n\u001B[31m.png", [1, 2, 3]);
        Refused("\\u{202e}evil\\u{a}\\u{1b}[31m.png");
    }

    private void Refused(params string[] parts)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    private static byte[] Grey(int width, int height, byte first) =>
        Encode(Bitmap(width, height, [.. Enumerable.Range(0, width * height).Select(i => (byte)(first + i))]), SKEncodedImageFormat.Png);

    private static SKBitmap Bitmap(int width, int height, byte[] pixels)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        for (int y = 0; y < height; y++)
        {
            pixels.AsSpan(y * width, width).CopyTo(bitmap.GetPixelSpan()[(y * bitmap.RowBytes)..]);
        }

        return bitmap;
    }

    private static SKBitmap Color(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((byte)i, 100, 200));
        }

        return bitmap;
    }

    private static SKBitmap Noise(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var random = new Random(1);
        for (int i = 0; i < width * height; i++)
        {
            bitmap.SetPixel(i % width, i / width, new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
        }

        return bitmap;
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using SKData data = bitmap.Encode(format, 95);
        bitmap.Dispose();
        return data.ToArray();
    }

    // Over chunk type and data; the last four bytes of the span receive it.
    private static void WriteCrc(Span<byte> chunk)
    {
        uint crc = System.IO.Hashing.Crc32.HashToUInt32(chunk[..^4]);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(chunk[^4..], crc);
    }
}
