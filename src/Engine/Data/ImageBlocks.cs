using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Data;

/// <summary>The bytes of many images of one shape, in blocks of whole images: together they may have more than one array can hold.</summary>
public sealed class ImageBlocks
{
    private const int MaxBlockLength = 1 << 30;
    private readonly byte[][] _blocks;
    private readonly int _imageLength;
    private readonly int _imagesOfBlock;

    /// <param name="blockLength">Bytes of a block at most; a block has at least one image.</param>
    internal ImageBlocks(Shape shape, int count, int blockLength)
    {
        _imageLength = shape.Count;
        _imagesOfBlock = Math.Max(1, blockLength / _imageLength);
        Count = count;
        _blocks = new byte[(count + _imagesOfBlock - 1) / _imagesOfBlock][];
        for (int block = 0; block < _blocks.Length; block++)
        {
            _blocks[block] = new byte[Math.Min(_imagesOfBlock, count - (block * _imagesOfBlock)) * _imageLength];
        }
    }

    private ImageBlocks(int imageLength, int count, byte[] pixels) =>
        (_imageLength, _imagesOfBlock, Count, _blocks) = (imageLength, Math.Max(1, count), count, [pixels]);

    /// <summary>The number of images.</summary>
    public int Count { get; }

    /// <summary>All bytes in the order of the images.</summary>
    public IReadOnlyList<byte[]> Blocks => _blocks;

    /// <summary>The bytes of one image in C, H, W order.</summary>
    public Span<byte> this[int image]
    {
        get
        {
            (int block, int within) = Math.DivRem(image, _imagesOfBlock);
            return _blocks[block].AsSpan(within * _imageLength, _imageLength);
        }
    }

    /// <summary>Room for images.</summary>
    /// <param name="source">What messages call the data set.</param>
    /// <exception cref="ConvNetException">They are more than the memory of this process (exit code 7).</exception>
    public static ImageBlocks Allocate(string source, Shape shape, long count)
    {
        long length = count * shape.Count;
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return length <= memory
            ? new ImageBlocks(shape, checked((int)count), MaxBlockLength)
            : throw new ConvNetException(
                ExitCode.Resources,
                $"{source}: {count} images of {shape} have {length} bytes, and this process has {memory} bytes of memory. Use fewer or smaller images " +
                "(-s data.size=HxW for image folders).");
    }

    /// <summary>Images that lie in one array already, which is kept.</summary>
    /// <exception cref="ArgumentException">They don't fill the array.</exception>
    public static ImageBlocks Of(Shape shape, int count, byte[] pixels) => (long)shape.Count * count == pixels.Length
        ? new ImageBlocks(shape.Count, count, pixels)
        : throw new ArgumentException($"{count} images of {shape} have {(long)shape.Count * count} pixels, not {pixels.Length}.", nameof(pixels));
}
