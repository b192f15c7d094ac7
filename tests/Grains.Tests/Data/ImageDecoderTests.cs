using ConvNet.Engine.Data;
using ConvNet.Engine.Geometry;
using ConvNet.Grains.Data;
using Xunit;

namespace ConvNet.Grains.Tests.Data;

/// <summary>What becomes of the things that a picture file can have and a data set does not. Expected values are Pillow's.</summary>
public sealed class ImageDecoderTests : IDisposable
{
    private static readonly byte[] Stored = [0, 255, 200, 10, 0, 255, 100, 20, 0, 255, 50, 30];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<byte[], byte[], string> Rows => new()
    {
        { PictureFiles.RgbaPng, Stored, "4 of 4 images have transparency" },
        { PictureFiles.PalettePngWithKey, Stored, "4 of 4 images have transparency" },
        { PictureFiles.GifWithKey, Stored, "4 of 4 images have transparency" },
        { PictureFiles.GreyPngWithKey, [0, 255, 128, 3], "4 of 4 images have transparency" },
        { PictureFiles.SixteenBitPng, [0, 255, 128, 1], "4 of 4 images have 16 bits a channel" },
        { PictureFiles.WebpOfTwoFrames, [0, 4, 8, 12, 255, 252, 249, 246, 0, 37, 74, 111], "4 of 4 images have several frames" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Rows))]
    public void Stored_values_count_and_it_is_said(byte[] file, byte[] expected, string remark)
    {
        Dataset data = Open(file);
        Assert.Equal(new Shape(expected.Length / 4, 1, 4), data.Shape);
        Assert.Equal(expected, data.Train.Image(0).ToArray());
        Assert.StartsWith(remark, Assert.Single(data.Remarks));
    }

    [Fact]
    public void Bmp_and_webp_are_read()
    {
        byte[] bmp = Open(PictureFiles.Bmp).Train.Image(0).ToArray();
        Assert.Equal([0, 4, 8], bmp[..3]);
        Assert.Equal([255, 252, 249], bmp[64..67]);
        Assert.Equal([0, 37, 74], bmp[128..131]);
        Assert.Equal(bmp, Open(PictureFiles.Webp).Train.Image(0).ToArray());
    }

    [Fact]
    public void Cmyk_becomes_rgb_without_a_profile()
    {
        Dataset data = Open(PictureFiles.CmykJpeg);
        Assert.Equal(new Shape(3, 8, 8), data.Shape);
        Assert.InRange(data.Train.Image(0)[0], 254, 255);
        Assert.InRange(data.Train.Image(0)[64], 154, 156);
        Assert.InRange(data.Train.Image(0)[128], 54, 56);
        Assert.StartsWith("4 of 4 images are CMYK", Assert.Single(data.Remarks));
    }

    [Fact]
    public void Pictures_are_not_turned()
    {
        Dataset data = Open(PictureFiles.TurnedJpeg);
        Assert.Equal(new Shape(3, 4, 8), data.Shape);
        Assert.StartsWith("4 of 4 images are to be shown turned", Assert.Single(data.Remarks));
    }

    private Dataset Open(byte[] file)
    {
        foreach (string name in (string[])["train/a/1.png", "train/a/2.png", "train/b/1.png", "test/a/1.png"])
        {
            _folder.Write(name, file);
        }

        return DataCatalog.Open(_folder.Path);
    }
}
