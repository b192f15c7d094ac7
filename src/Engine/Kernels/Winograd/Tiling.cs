namespace ConvNet.Engine.Kernels.Winograd;

/// <summary>How square tiles cover an image, and the frame of zeros that makes all of them whole.</summary>
/// <param name="Rows">Tiles from top to bottom.</param>
/// <param name="Columns">Tiles from left to right.</param>
/// <param name="Size">Pixels from one tile to the next.</param>
/// <param name="Frame">Of the image that tiles are cut from; its size is that of all tiles with their overlap.</param>
internal readonly record struct Tiling(int Rows, int Columns, int Size, PaddedPlanes Frame)
{
    public int Count => Rows * Columns;

    /// <param name="inputs">Pixels of a tile's side that are read.</param>
    /// <param name="outputs">Pixels of a tile's side that it stands for.</param>
    /// <param name="padding">Zeros above and to the left of the image that the first tile reads.</param>
    /// <param name="covered">The image that all tiles stand for.</param>
    public static Tiling Of(int inputs, int outputs, Size padding, Shape image, Shape covered)
    {
        int rows = (covered.H + outputs - 1) / outputs;
        int columns = (covered.W + outputs - 1) / outputs;
        int bottom = rows * outputs + inputs - outputs - padding.H - image.H;
        int right = columns * outputs + inputs - outputs - padding.W - image.W;
        return new Tiling(rows, columns, outputs, new PaddedPlanes(image.H, image.W, padding.H, padding.W, bottom, right));
    }
}
