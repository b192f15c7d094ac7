using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>Labelled images in memory, all of one shape. Never changes after construction.</summary>
public sealed class ImageSet
{
    private readonly byte[] _pixels;
    private readonly int[] _labels;

    /// <param name="shape">The volume of each image.</param>
    /// <param name="pixels">N·C·H·W bytes in N, C, H, W order. The set keeps the array: don't write to it afterwards.</param>
    /// <param name="labels">N class numbers, 0 … classes − 1. Kept, too.</param>
    /// <param name="classNames">One name for each class.</param>
    /// <exception cref="ArgumentException">The lengths don't agree, or a label is out of range.</exception>
    public ImageSet(Shape shape, byte[] pixels, int[] labels, IReadOnlyList<string> classNames)
    {
        if ((long)shape.Count * labels.Length != pixels.Length)
        {
            throw new ArgumentException(
                $"{labels.Length} images of {shape} have {(long)shape.Count * labels.Length} pixels, not {pixels.Length}.",
                nameof(pixels));
        }

        foreach (int label in labels)
        {
            if ((uint)label >= (uint)classNames.Count)
            {
                throw new ArgumentException($"Label {label} does not lie in 0 … {classNames.Count - 1}.", nameof(labels));
            }
        }

        Shape = shape;
        _pixels = pixels;
        _labels = labels;
        ClassNames = classNames;
    }

    /// <summary>The volume of each image.</summary>
    public Shape Shape { get; }

    /// <summary>The number of images, N.</summary>
    public int Count => _labels.Length;

    public IReadOnlyList<string> ClassNames { get; }

    public int ClassCount => ClassNames.Count;

    /// <summary>All pixels in N, C, H, W order.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>The pixels of one image in C, H, W order.</summary>
    public ReadOnlySpan<byte> Image(int index) => _pixels.AsSpan(checked(index * Shape.Count), Shape.Count);
}
