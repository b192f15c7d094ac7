using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>Turns colour images into grey ones and back.</summary>
public static class GreyImages
{
    /// <summary>0.299 R + 0.587 G + 0.114 B (ITU-R 601), in 2^−16 and rounded to the nearest, as Pillow's mode L.</summary>
    public static byte Grey(byte red, byte green, byte blue) => (byte)(((red * 19595) + (green * 38470) + (blue * 7471) + 0x8000) >> 16);

    /// <summary>The same images with this many channels: colour becomes grey, grey is repeated.</summary>
    /// <param name="channels">1 or 3.</param>
    /// <exception cref="ConvNetException">The result does not fit in memory (exit code 7).</exception>
    public static ImageSet Convert(ImageSet set, int channels)
    {
        Shape shape = set.Shape with { C = channels };
        if (set.Shape == shape)
        {
            return set;
        }

        int area = shape.Area;
        ImageBlocks pixels = ImageBlocks.Allocate("data.channels", shape, set.Count);
        for (int n = 0; n < set.Count; n++)
        {
            ReadOnlySpan<byte> image = set.Image(n);
            Span<byte> converted = pixels[n];
            for (int i = 0; i < converted.Length; i++)
            {
                converted[i] = channels == 3 ? image[i % area] : Grey(image[i], image[area + i], image[(2 * area) + i]);
            }
        }

        return new ImageSet(shape, pixels, set.Labels.ToArray(), set.ClassNames);
    }
}
