using ConvNet.Engine.Geometry;
using ConvNet.Grains.Data;
using Xunit;

namespace ConvNet.Grains.Tests.Data;

public sealed class ImageSizeTests
{
    [Theory]
    [InlineData("32x24", 32, 24)]
    [InlineData("4096x1", 4096, 1)]
    public void A_size_is_height_x_width(string text, int height, int width) => Assert.Equal(new Size(height, width), ImageSize.TryParse(text));

    [Theory]
    [InlineData("0x4")]
    [InlineData("32")]
    [InlineData("4097x4")]
    [InlineData("99999999999x1")]
    [InlineData("-1x4")]
    [InlineData("4x4x4")]
    [InlineData("4x4\n")]
    public void Other_texts_are_none(string text)
    {
        Assert.Null(ImageSize.TryParse(text));
        Assert.Contains($"'{text}'", ImageSize.Problem(text));
    }
}
