using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Gpu.Kernels.Winograd;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The engine's tilings for kernels.</summary>
internal static class WinogradTiles
{
    /// <summary>Tiles that find room at a time, one at least.</summary>
    /// <param name="other">What the tiles are made to, or multiplied with.</param>
    /// <param name="points">Of a tile.</param>
    /// <param name="maxPoints">Floats of points of either operand.</param>
    public static int Most(Tiling tiling, Shape other, int points, long maxPoints) =>
        (int)Math.Max(1, maxPoints / (8L * Math.Max(tiling.Image.Blocks, other.Blocks) * points));

    /// <param name="image">That the tiles are cut from, or that they make.</param>
    /// <param name="first">The first tile in points.</param>
    /// <param name="count">Tiles in points.</param>
    public static TileGrid Of(Tiling tiling, Shape image, int first, int count) => new(
        image.H, image.W, image.Blocks, image.Blocks * image.Area * 8, tiling.Rows, tiling.Columns, tiling.Size, tiling.Top, tiling.Left, first, count);
}
