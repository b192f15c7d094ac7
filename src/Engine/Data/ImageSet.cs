using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>Labelled images in memory, all of one shape. Never changes after construction.</summary>
public sealed class ImageSet
{
    private readonly ImageBlocks _pixels;
    private readonly int[] _labels;

    /// <param name="shape">The volume of each image.</param>
    /// <param name="pixels">N·C·H·W bytes in N, C, H, W order. The set keeps the array: don't write to it afterwards.</param>
    /// <param name="labels">N class numbers, 0 … classes − 1. Kept, too.</param>
    /// <param name="classNames">One name for each class.</param>
    /// <exception cref="ArgumentException">The lengths don't agree, or a label is out of range.</exception>
    public ImageSet(Shape shape, byte[] pixels, int[] labels, IReadOnlyList<string> classNames)
        : this(shape, ImageBlocks.Of(shape, labels.Length, pixels), labels, classNames)
    {
    }

    /// <inheritdoc cref="ImageSet(Shape, byte[], int[], IReadOnlyList{string})"/>
    public ImageSet(Shape shape, ImageBlocks pixels, int[] labels, IReadOnlyList<string> classNames)
    {
        if (pixels.Count != labels.Length)
        {
            throw new ArgumentException($"{labels.Length} labels don't belong to {pixels.Count} images.", nameof(labels));
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
    public IReadOnlyList<ReadOnlyMemory<byte>> Pixels => [.. _pixels.Blocks.Select(block => (ReadOnlyMemory<byte>)block)];

    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>The pixels of one image in C, H, W order.</summary>
    public ReadOnlySpan<byte> Image(int index) => _pixels[index];

    /// <summary>The same images with other labels.</summary>
    /// <inheritdoc cref="ImageSet(Shape, byte[], int[], IReadOnlyList{string})"/>
    public ImageSet WithLabels(int[] labels, IReadOnlyList<string> classNames) => new(Shape, _pixels, labels, classNames);
}
