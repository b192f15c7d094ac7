using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Gpu.Kernels.Winograd;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The engine's tilings for kernels.</summary>
internal static class WinogradTiles
{
    /// <param name="image">That the tiles are cut from, or that they make.</param>
    /// <param name="first">The first tile in points.</param>
    /// <param name="count">Tiles in points.</param>
    public static TileGrid Of(Tiling tiling, Shape image, int first, int count) => new(
        image.H, image.W, image.Blocks, image.Blocks * image.Area * 8, tiling.Rows, tiling.Columns, tiling.Size, tiling.Top, tiling.Left, first, count);
}
