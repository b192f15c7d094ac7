using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Data;

public class BatchFillerTests
{
    private static readonly double[] Mean = [0.25];
    private static readonly double[] Std = [0.5];

    [Fact]
    public void Pixels_are_divided_shifted_scaled_and_rounded_once()
    {
        ImageSet set = Ramp(new Shape(3, 4, 4), 2);
        double[] mean = [0.1, 0.2, 0.3], std = [0.4, 0.5, 0.6];
        var adapter = InputAdapter.For(set.Shape, mean, std, set.Shape);
        using var input = new Activation(set.Shape, 2);
        int[] labels = new int[2];
        new BatchFiller(set, adapter, null).Fill(1, 0, [1, 0], input, labels);
        Assert.Equal([1, 0], labels);
        for (int c = 0; c < 3; c++)
        {
            for (int h = 0; h < 4; h++)
            {
                for (int w = 0; w < 4; w++)
                {
                    byte pixel = set.Image(1)[(c * 16) + (h * 4) + w];
                    Assert.Equal((float)(((pixel / 255.0) - mean[c]) / std[c]), input[0, c, h, w]);
                }
            }
        }

        AssertUnusedLanesAreZero(input, 3);
    }

    [Fact]
    public void Grey_images_are_padded_after_normalization_and_repeated()
    {
        ImageSet set = Ramp(new Shape(1, 28, 28), 1);
        var adapter = InputAdapter.For(set.Shape, Mean, Std, new Shape(3, 32, 32));
        using var input = new Activation(adapter.Model, 1);
        input.SampleSpan(0).Fill(99);
        new BatchFiller(set, adapter, null).FillSample(1, 0, 0, input, 0);
        for (int c = 0; c < 3; c++)
        {
            for (int h = 0; h < 32; h++)
            {
                for (int w = 0; w < 32; w++)
                {
                    bool inside = h is >= 2 and < 30 && w is >= 2 and < 30;
                    float expected = inside ? Normalized(set.Image(0)[((h - 2) * 28) + w - 2]) : 0;
                    Assert.Equal(expected, input[0, c, h, w]);
                }
            }
        }

        AssertUnusedLanesAreZero(input, 3);
    }

    [Fact]
    public void Augmentation_moves_and_mirrors_each_sample_by_its_own_draw()
    {
        ImageSet set = Ramp(new Shape(1, 6, 6), 40);
        var adapter = InputAdapter.For(set.Shape, Mean, Std, new Shape(1, 8, 8));
        var augmentation = new Augmentation(PadCrop: 2, Flip: true);
        var filler = new BatchFiller(set, adapter, augmentation);
        using var input = new Activation(adapter.Model, 1);
        var draws = new HashSet<(int, int, bool)>();
        for (int sample = 0; sample < 40; sample++)
        {
            filler.FillSample(3, 5, sample, input, 0);
            Augmentation.Draw draw = augmentation.For(3, 5, sample);
            draws.Add((draw.Rows, draw.Columns, draw.Flip));
            Assert.InRange(draw.Rows, -2, 2);
            for (int h = 0; h < 8; h++)
            {
                for (int w = 0; w < 8; w++)
                {
                    int y = h + draw.Rows - 1, x = (draw.Flip ? 7 - w : w) + draw.Columns - 1;
                    bool inside = (uint)y < 6 && (uint)x < 6;
                    Assert.Equal(inside ? Normalized(set.Image(sample)[(y * 6) + x]) : 0, input[0, 0, h, w]);
                }
            }
        }

        Assert.InRange(draws.Count, 20, 50);
        Assert.Equal(2, draws.Select(draw => draw.Item3).Distinct().Count());
    }

    [Fact]
    public void Augmentation_depends_on_seed_epoch_and_sample_not_on_the_slot()
    {
        var augmentation = new Augmentation(4, true);
        var draws = Enumerable.Range(0, 30).Select(i => (augmentation.For(1, 0, i), augmentation.For(1, 1, i), augmentation.For(2, 0, i))).ToList();
        Assert.Contains(draws, draw => draw.Item1 != draw.Item2);
        Assert.Contains(draws, draw => draw.Item1 != draw.Item3);
        ImageSet set = Ramp(new Shape(1, 6, 6), 3);
        var filler = new BatchFiller(set, InputAdapter.For(set.Shape, Mean, Std, set.Shape), augmentation);
        using var a = new Activation(set.Shape, 3);
        using var b = new Activation(set.Shape, 3);
        filler.Fill(1, 0, [0, 1, 2], a, new int[3]);
        filler.Fill(1, 0, [2, 0, 1], b, new int[3]);
        Assert.Equal(a.SampleSpan(2).ToArray(), b.SampleSpan(0).ToArray());
    }

    [Fact]
    public void Impossible_adaptations_are_refused()
    {
        Refused(new Shape(3, 32, 32), new Shape(1, 32, 32), "3 channels cannot become 1");
        Refused(new Shape(1, 40, 32), new Shape(1, 32, 32), "larger than 32x32");
        Refused(new Shape(1, 28, 28), new Shape(1, 31, 32), "3 rows and 4 columns", "32x32");
        Assert.Contains("0 … 31", Assert.Throws<ConvNetException>(() => new Augmentation(32).Validate(new Shape(3, 32, 32))).Message);
    }

    [Fact]
    public void Another_image_shape_than_the_adapters_is_refused()
    {
        var adapter = InputAdapter.For(new Shape(1, 28, 28), Mean, Std, new Shape(1, 28, 28));
        ConvNetException error = Assert.Throws<ConvNetException>(() => new BatchFiller(Ramp(new Shape(1, 6, 6), 1), adapter, null));
        Assert.Contains("1x6x6", error.Message);
        Assert.Contains("1x28x28", error.Message);
    }

    [Fact]
    public void The_adapter_describes_itself()
    {
        Assert.Equal(
            "Pixels are normalized with mean 0.2860 and standard deviation 0.3530; 1x28x28 images are padded by 2 pixels with zeros " +
            "after normalization and the grey channel is repeated 3 times to fit 3x32x32.",
            InputAdapter.For(new Shape(1, 28, 28), [0.2860], [0.3530], new Shape(3, 32, 32)).Describe());
        Assert.Equal(
            "Pixels are normalized with mean 0.2860 and standard deviation 0.3530.",
            InputAdapter.For(new Shape(1, 28, 28), [0.2860], [0.3530], new Shape(1, 28, 28)).Describe());
    }

    private static void Refused(Shape image, Shape model, params string[] parts)
    {
        double[] ones = [.. Enumerable.Repeat(1.0, image.C)];
        ConvNetException error = Assert.Throws<ConvNetException>(() => InputAdapter.For(image, ones, ones, model));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, error.Message));
    }

    private static float Normalized(byte pixel) => (float)(((pixel / 255.0) - 0.25) / 0.5);

    private static ImageSet Ramp(Shape shape, int count) => new(
        shape,
        [.. Enumerable.Range(0, count * shape.Count).Select(i => (byte)((i * 7) % 251))],
        [.. Enumerable.Range(0, count)],
        [.. Enumerable.Range(0, count).Select(i => i.ToString())]);

    private static void AssertUnusedLanesAreZero(Activation input, int channels)
    {
        foreach (int c in Enumerable.Range(channels, 8 - channels))
        {
            for (int h = 0; h < input.Shape.H; h++)
            {
                for (int w = 0; w < input.Shape.W; w++)
                {
                    Assert.Equal(0, input[0, c, h, w]);
                }
            }
        }
    }
}
