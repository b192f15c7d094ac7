namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>
/// How square tiles cover the images of some samples, and where one plane of tiles for each point lies: (point, C/8, tile, 8), so that a
/// point is one operand of a matrix product. Tiles of consecutive samples are numbered through.
/// </summary>
/// <param name="Height">Of the image.</param>
/// <param name="Blocks">Blocks of 8 channels.</param>
/// <param name="SampleStride">Floats of the image from one sample to the next.</param>
/// <param name="Rows">Tiles from top to bottom of an image.</param>
/// <param name="Columns">Tiles from left to right.</param>
/// <param name="Size">Pixels from one tile to the next.</param>
/// <param name="Top">Zeros above the image that the first row reads.</param>
/// <param name="Left">Zeros to the left of it.</param>
/// <param name="First">The first tile in points.</param>
/// <param name="Count">Tiles in points.</param>
internal readonly record struct TileGrid(
    int Height, int Width, int Blocks, int SampleStride, int Rows, int Columns, int Size, int Top, int Left, int First, int Count)
{
    /// <summary>Floats from one point to the next.</summary>
    public int PointStep => Blocks * Count * 8;
}
