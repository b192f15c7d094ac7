using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// How square tiles cover an image. The rows of tiles of consecutive samples are numbered through: a chunk is a run of them, so that images
/// of any height give chunks of about the same size.
/// </summary>
/// <param name="Rows">Tiles from top to bottom.</param>
/// <param name="Columns">Tiles from left to right.</param>
/// <param name="Size">Pixels from one tile to the next.</param>
/// <param name="Overlap">Pixels that a tile shares with the next one.</param>
/// <param name="Image">That the tiles are cut from.</param>
/// <param name="Top">Zeros above the image that the first row reads.</param>
/// <param name="Left">Zeros to the left of it.</param>
internal readonly record struct Tiling(int Rows, int Columns, int Size, int Overlap, Shape Image, int Top, int Left)
{
    /// <summary>Tiles of a chunk of a weight gradient: enough that loading and storing the sums costs little.</summary>
    private const int GradientTiles = 48;

    /// <summary>Tiles of a sample.</summary>
    public int Count => Rows * Columns;

    /// <summary>Pixels of a row of tiles with the zeros on both sides.</summary>
    public int Width => Columns * Size + Overlap;

    /// <summary>
    /// Rows of tiles whose products are summed from zero before they join the sums of a weight gradient; counted from the shard's first sample.
    /// </summary>
    public int GradientRows => Math.Max(1, GradientTiles / Columns);

    /// <param name="inputs">Pixels of a tile's side that are read.</param>
    /// <param name="outputs">Pixels of a tile's side that it stands for.</param>
    /// <param name="padding">Zeros above and to the left of the image that the first tile reads.</param>
    /// <param name="covered">The image that all tiles stand for.</param>
    public static Tiling Of(int inputs, int outputs, Size padding, Shape image, Shape covered)
    {
        int rows = (covered.H + outputs - 1) / outputs;
        int columns = (covered.W + outputs - 1) / outputs;
        return new Tiling(rows, columns, outputs, inputs - outputs, image, padding.H, padding.W);
    }

    /// <summary>Vectors of some rows of tiles as <see cref="Copy"/> leaves them.</summary>
    public long Length(int rows) => (long)Width * (rows * Size + Overlap);

    /// <summary>Some rows of tiles, whole: with zeros where they reach beyond the image.</summary>
    /// <param name="block">A sample's block of 8 channels: (H, W, 8).</param>
    /// <param name="plane">Floats to the block of a vector's second 8 lanes; 0 where there is none: they repeat the first.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void Copy<T>(float* block, nint plane, int firstRow, int rows, float* target)
        where T : struct, IFloats<T>
    {
        int blocks = T.Count / 8;
        int first = firstRow * Size - Top;
        int end = first + rows * Size + Overlap;
        int columns = Math.Min(Image.W, Width - Left);
        for (int h = first; h < end; h++)
        {
            if ((uint)h >= (uint)Image.H)
            {
                target = PaddedPlanes.Zero(target, blocks * Width);
                continue;
            }

            target = PaddedPlanes.Zero(target, blocks * Left);
            float* source = block + 8L * h * Image.W;
            for (float* last = target + T.Count * columns; target < last; source += 8, target += T.Count)
            {
                T.LoadBlocks(source, plane).Store(target);
            }

            target = PaddedPlanes.Zero(target, blocks * (Width - Left - columns));
        }
    }
}
