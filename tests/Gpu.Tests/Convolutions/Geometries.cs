using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>Convolutions of random odd shapes.</summary>
internal static class Geometries
{
    public static Convolution Layer(ConvolutionGeometry geometry, bool bias) => new(
        "0", 0, geometry, [geometry.Output.C, geometry.ChannelsPerGroup, geometry.Kernel.H, geometry.Kernel.W], bias);

    public static ConvolutionGeometry Of(int c, int k, Size image, Size kernel, Size stride, Size padding, Size dilation, int groups = 1)
    {
        int h = (image.H + 2 * padding.H - dilation.H * (kernel.H - 1) - 1) / stride.H + 1;
        int w = (image.W + 2 * padding.W - dilation.W * (kernel.W - 1) - 1) / stride.W + 1;
        return new ConvolutionGeometry(new Shape(c, image.H, image.W), new Shape(k, h, w), kernel, stride, padding, dilation, groups);
    }

    /// <summary>Any geometry but Winograd's: kernels up to 5, strides and dilations up to 3, groups of any size.</summary>
    public static ConvolutionGeometry Direct(Random random)
    {
        while (true)
        {
            int groups = random.Next(2) == 0 ? 1 : random.Next(2, 5);
            int c = groups * random.Next(1, 20 / groups + 1);
            int k = groups * random.Next(1, 20 / groups + 1);
            ConvolutionGeometry? geometry = Fitting(random, c, k, groups);
            if (geometry is not null)
            {
                return geometry;
            }
        }
    }

    public static ConvolutionGeometry Depthwise(Random random)
    {
        while (true)
        {
            int channels = random.Next(2, 20);
            ConvolutionGeometry? geometry = Fitting(random, channels, channels, channels);
            if (geometry is not null)
            {
                return geometry;
            }
        }
    }

    /// <summary>A worker's share of a step: some shards of a tree, of one sample or more each.</summary>
    public static ShardPlan Plan(Random random, int maxSamples)
    {
        int shards = random.Next(1, 6);
        int batch = random.Next(shards, Math.Max(shards, maxSamples) + 1);
        int first = random.Next(shards);
        int end = random.Next(first + 1, shards + 1);
        return new ShardPlan(new ShardTree(batch, shards), first, end);
    }

    private static ConvolutionGeometry? Fitting(Random random, int c, int k, int groups)
    {
        Size image = Sides(random, 1, 9), kernel = Sides(random, 1, 5), stride = Sides(random, 1, 3);
        Size padding = Sides(random, 0, 3), dilation = Sides(random, 1, 3);
        ConvolutionGeometry geometry = Of(c, k, image, kernel, stride, padding, dilation, groups);
        bool fits = image.H + 2 * padding.H > dilation.H * (kernel.H - 1) && image.W + 2 * padding.W > dilation.W * (kernel.W - 1);
        return fits ? geometry : null;
    }

    private static Size Sides(Random random, int least, int most) => new(random.Next(least, most + 1), random.Next(least, most + 1));
}
