using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Grains.Data;
using SkiaSharp;
using Xunit;
using static ConvNet.Grains.Tests.Data.DrawnImages;

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
        _folder.Write("test/b/2.png", Encode(Color(4, 3), SKEncodedImageFormat.Jpeg));
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
        Refused("3.png", "is no PNG, JPEG, WebP, BMP or GIF", "3c68746d");
        _folder.Write("train/b/3.png");
        Refused("3.png", "has only 0 bytes");
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
        Refused("3.png", "the PNG chunk at byte 8 is cut off");
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
        Refused("3.png", "cannot be read");
    }

    [Fact]
    public void Strange_names_are_shown_without_control_characters()
    {
        _folder.Write("train/b/\u202Eevil\n\u001B[31m.png", [1, 2, 3]);
        Refused("\\u{202e}evil\\u{a}\\u{1b}[31m.png");
    }

    [Fact]
    public void All_faults_are_said_at_once_and_many_are_counted()
    {
        _folder.Write("train/b/3.png", "<html></html>"u8.ToArray());
        _folder.Write("train/b/4.png", Grey(8, 8, 0));
        _folder.Write("train/b/5.png", Encode(Noise(4, 3), SKEncodedImageFormat.Png)[..^30]);
        _folder.Write("train/b/6.tiff", [1]);
        _folder.Write("test/d/1.png", Grey(4, 3, 0));
        Directory.CreateDirectory(_folder["train/c"]);
        Refused("3.png: is no PNG", "4.png: is 8x8", "5.png: the PNG chunk at byte");
        Refused("6.tiff: images of this kind", "the class d is not", "train/c: has no images");
        ConvNetException error = Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path, mostFaults: 2));
        Assert.Contains("There are 4 more faults", error.Message);
        Assert.Equal(3, error.Message.Split("error: ").Length);
    }

    [Fact]
    public void Foreign_files_are_ignored_and_counted()
    {
        foreach (string name in (string[])["train/b/Thumbs.db", "train/b/labels.txt", "test/readme.md", "train/b/noext", "train/b/.DS_Store"])
        {
            _folder.Write(name, [1, 2, 3]);
        }

        _folder.Write("train/__MACOSX/x/1.png", [1]);
        _folder.Write("train/loose.png", Grey(4, 3, 1));
        _folder.Write("train/b/picture", Grey(4, 3, 90));
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(4, data.Train.Count);
        Assert.Equal(
            ["4 files are ignored (no image): b/Thumbs.db, b/labels.txt, b/noext, …", "1 file is ignored (in no class folder): loose.png"], data.Remarks);
    }

    [Fact]
    public void Names_of_classes_are_compared_in_one_unicode_form()
    {
        _folder.Write("train/cafe\u0301/1.png", Grey(4, 3, 1));
        _folder.Write("test/caf\u00E9/1.png", Grey(4, 3, 2));
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(["B", "b", "caf\u00E9"], data.ClassNames);
        Assert.Equal([1, 2], data.Test.Labels.ToArray());
        _folder.Write("train/caf\u00E9/1.png", Grey(4, 3, 1));
        Refused("differs in Unicode normalization only");
    }

    [Theory]
    [InlineData("val")]
    [InlineData("valid")]
    [InlineData("Validation")]
    public void Validation_images_stand_in_for_test_images(string name)
    {
        Directory.Move(_folder["test"], _folder[name]);
        Dataset data = DataCatalog.Open(_folder.Path);
        Assert.Equal(1, data.Test.Count);
        Assert.Equal([$"{name}/ holds the test images"], data.Remarks);
        _folder.Write("test/1.png", Grey(4, 3, 9));
        Assert.Equal([$"{name}/ holds the test images, test/ is not used"], DataCatalog.Open(_folder.Path).Remarks);
        _folder.Write("test/B/1.png", Grey(4, 3, 9));
        Assert.StartsWith($"test/ holds the test images, {name}/ is not used", DataCatalog.Open(_folder.Path).Remarks[0]);
    }

    [Fact]
    public void A_share_for_testing_is_chosen_by_the_names_of_images()
    {
        Assert.Contains("Leave data.testShare out", Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path, testShare: 0.5)).Message);
        Directory.Delete(_folder["test"], true);
        Refused("no data set found: only train/ is there", "data.testShare=0.2");
        for (byte i = 0; i < 40; i++)
        {
            _folder.Write($"train/B/x{i}.png", Grey(4, 3, i));
            _folder.Write($"train/b/x{i}.png", Grey(4, 3, i));
        }

        Dataset data = DataCatalog.Open(_folder.Path, testShare: 0.25);
        Assert.Equal(83, data.Train.Count + data.Test.Count);
        Assert.InRange(data.Test.Count, 10, 32);
        byte[] before = [.. Enumerable.Range(0, data.Test.Count).Select(i => data.Test.Image(i)[0])];
        _folder.Write("train/B/0.png", Grey(4, 3, 1));
        Directory.Move(_folder["train/B"], _folder["B"]);
        Directory.Move(_folder["train/b"], _folder["b"]);
        Directory.Delete(_folder["train"]);
        Dataset moved = DataCatalog.Open(_folder.Path, testShare: 0.25);
        byte[] after = [.. Enumerable.Range(0, moved.Test.Count).Select(i => moved.Test.Image(i)[0])];
        Assert.True(after.SequenceEqual(before) || after[1..].SequenceEqual(before));
        Refused("no data set found: B/, b/ are there");
    }

    [Fact]
    public void Colour_and_grey_are_converted_on_demand()
    {
        _folder.Write("test/b/2.png", Encode(Color(4, 3), SKEncodedImageFormat.Png));
        Dataset data = DataCatalog.Open(_folder.Path, channels: 1);
        Assert.Equal(new Shape(1, 3, 4), data.Shape);
        Assert.Equal(82, data.Test.Image(1)[0]);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (byte)(50 + i)), data.Train.Image(1).ToArray());
        Assert.Equal(3, DataCatalog.Open(DatasetFiles.DefaultName, channels: 3).Shape.C);
    }

    [Fact]
    public void Test_images_for_a_model_take_its_size_and_channels()
    {
        Directory.Delete(_folder["train"], true);
        _folder.Write("test/ant/2.png", Encode(Color(9, 7), SKEncodedImageFormat.Png));
        ImageSet test = DataCatalog.OpenTest(_folder.Path, new Shape(1, 5, 6), null, out bool isNamed);
        Assert.True(isNamed);
        Assert.Equal(new Shape(1, 5, 6), test.Shape);
        Assert.Equal(["ant", "b"], test.ClassNames);
        Assert.Equal(test.Pixels[0].ToArray(), DataCatalog.OpenTest(_folder["test"], new Shape(1, 5, 6), null, out _).Pixels[0].ToArray());
    }

    [Fact]
    public void A_pipe_is_refused_and_not_waited_for()
    {
        using var made = System.Diagnostics.Process.Start("mkfifo", _folder["train/b/3.png"]);
        made.WaitForExit();
        Refused("3.png", "a pipe, a socket or a device");
    }

    private void Refused(params string[] parts)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DataCatalog.Open(_folder.Path));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }
}
