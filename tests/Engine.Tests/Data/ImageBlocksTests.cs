using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public class ImageBlocksTests
{
    private static readonly Shape Small = new(1, 2, 3);

    [Theory]
    [InlineData(6, 7)]
    [InlineData(20, 3)]
    [InlineData(41, 2)]
    [InlineData(1, 7)]
    [InlineData(1000, 1)]
    public void Images_in_blocks_are_the_same_data_set_as_in_one_array(int blockLength, int blocks)
    {
        byte[] pixels = [.. Enumerable.Range(0, 42).Select(i => (byte)(i * 5))];
        int[] labels = [0, 1, 0, 1, 0, 1, 1];
        var split = new ImageBlocks(Small, 7, blockLength);
        for (int i = 0; i < 7; i++)
        {
            pixels.AsSpan(i * 6, 6).CopyTo(split[i]);
        }

        var one = new ImageSet(Small, pixels, labels, ["a", "b"]);
        var many = new ImageSet(Small, split, labels, ["a", "b"]);

        Assert.Equal(blocks, many.Pixels.Count);
        Assert.Equal(pixels, many.Pixels.SelectMany(block => block.ToArray()));
        Assert.All(Enumerable.Range(0, 7), i => Assert.Equal(one.Image(i).ToArray(), many.Image(i).ToArray()));
        Assert.Equal(new Dataset("x", one, one).Sha256, new Dataset("x", many, many).Sha256);
        Assert.Equal(GreyImages.Convert(one, 3).Pixels[0].ToArray(), GreyImages.Convert(many, 3).Pixels[0].ToArray());
        Assert.Equal(new Dataset("x", one, one).Std, new Dataset("x", many, many).Std);
    }

    [Fact]
    public void Images_beyond_the_memory_of_the_process_are_refused_with_both_numbers()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => ImageBlocks.Allocate("photos", new Shape(3, 8192, 8192), int.MaxValue));

        Assert.Equal(ExitCode.Resources, error.ExitCode);
        Assert.StartsWith("photos: 2147483647 images of 3x8192x8192 have 432345564026241024 bytes, and this process has ", error.Message);
    }

    [Fact]
    public void Blocks_of_another_number_of_images_than_labels_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ImageSet(Small, new ImageBlocks(Small, 2, 6), [0], ["a"]));
        Assert.Throws<ArgumentException>(() => new ImageSet(Small, new byte[11], [0, 0], ["a"]));
    }
}
