using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>
/// Between pixels and points, one tile of one channel for each item: items are (C/8, tile, 8). A tile is mapped column by column, then row by
/// row, as in the engine's PlaneTransform; pixels beyond the image count as zeros.
/// </summary>
internal static class PointTransforms
{
    public static void InputOf4(Index1D i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid) =>
        ToPoints<F4.Input>(i, image, points, grid);

    public static void InputOf2(Index1D i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid) =>
        ToPoints<F2.Input>(i, image, points, grid);

    public static void GradientOf4(Index1D i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid) =>
        ToPoints<F4.OutputGradient>(i, image, points, grid);

    public static void GradientOf25(Index1D i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid) =>
        ToPoints<F25.OutputGradient>(i, image, points, grid);

    public static void GradientOf2(Index1D i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid) =>
        ToPoints<F2.OutputGradient>(i, image, points, grid);

    /// <param name="bias">For each channel what is added to its pixels after the map; no longer than 1 for nothing.</param>
    public static void OutputOf4(Index1D i, ArrayView<Float32> points, ArrayView<Float32> image, ArrayView<Float32> bias, TileGrid grid) =>
        FromPoints<F4.Output>(i, points, image, bias, grid);

    public static void OutputOf25(Index1D i, ArrayView<Float32> points, ArrayView<Float32> image, ArrayView<Float32> bias, TileGrid grid) =>
        FromPoints<F25.Output>(i, points, image, bias, grid);

    public static void OutputOf2(Index1D i, ArrayView<Float32> points, ArrayView<Float32> image, ArrayView<Float32> bias, TileGrid grid) =>
        FromPoints<F2.Output>(i, points, image, bias, grid);

    private static void ToPoints<TMap>(int i, ArrayView<Float32> image, ArrayView<Float32> points, TileGrid grid)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        TilePlace tile = TilePlace.Of(i, grid);
        int h = tile.H;
        int w = tile.W;
        int source = tile.Sample * grid.SampleStride + tile.Block * grid.Height * grid.Width * 8 + tile.Lane;
        Plane plane = default;
        plane.L0 = Column<TMap>(image, source, h, w, grid);
        plane.L1 = Column<TMap>(image, source, h, w + 1, grid);
        plane.L2 = map.Inputs > 2 ? Column<TMap>(image, source, h, w + 2, grid) : default;
        plane.L3 = map.Inputs > 3 ? Column<TMap>(image, source, h, w + 3, grid) : default;
        plane.L4 = map.Inputs > 4 ? Column<TMap>(image, source, h, w + 4, grid) : default;
        plane.L5 = map.Inputs > 5 ? Column<TMap>(image, source, h, w + 5, grid) : default;
        PointLines.StorePlane<TMap>(Plane.Map<TMap>(plane), points, i, grid.PointStep);
    }

    /// <summary>The pixels of one column of a tile.</summary>
    private static Line Column<TMap>(ArrayView<Float32> image, int source, int h, int w, TileGrid grid)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        Line line = default;
        if (w >= 0 && w < grid.Width)
        {
            int step = grid.Width * 8;
            int at = source + (h * grid.Width + w) * 8;
            line.V0 = Pixel(image, at, h, grid);
            line.V1 = Pixel(image, at + step, h + 1, grid);
            line.V2 = map.Inputs > 2 ? Pixel(image, at + 2 * step, h + 2, grid) : Float32.Zero;
            line.V3 = map.Inputs > 3 ? Pixel(image, at + 3 * step, h + 3, grid) : Float32.Zero;
            line.V4 = map.Inputs > 4 ? Pixel(image, at + 4 * step, h + 4, grid) : Float32.Zero;
            line.V5 = map.Inputs > 5 ? Pixel(image, at + 5 * step, h + 5, grid) : Float32.Zero;
        }

        return line;
    }

    private static Float32 Pixel(ArrayView<Float32> image, int at, int h, TileGrid grid) =>
        h >= 0 && h < grid.Height ? image[at] : Float32.Zero;

    private static void FromPoints<TMap>(
        int i, ArrayView<Float32> points, ArrayView<Float32> image, ArrayView<Float32> bias, TileGrid grid)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        TilePlace tile = TilePlace.Of(i, grid);
        int h = tile.H;
        int w = tile.W;
        int target = tile.Sample * grid.SampleStride + (tile.Block * grid.Height + h) * grid.Width * 8 + w * 8 + tile.Lane;
        int columns = grid.Width - w;
        int step = grid.Width * 8;
        Plane rows = Plane.Map<TMap>(PointLines.LoadPlane<TMap>(points, i, grid.PointStep));
        bool adds = bias.IntLength > 1;
        Float32 addend = adds ? bias[tile.Block * 8 + tile.Lane] : Float32.Zero;
        Row<TMap>(image, target, rows.L0, columns, adds, addend);
        if (h + 1 < grid.Height)
        {
            Row<TMap>(image, target + step, rows.L1, columns, adds, addend);
        }

        if (map.Outputs > 2 && h + 2 < grid.Height)
        {
            Row<TMap>(image, target + 2 * step, rows.L2, columns, adds, addend);
        }

        if (map.Outputs > 3 && h + 3 < grid.Height)
        {
            Row<TMap>(image, target + 3 * step, rows.L3, columns, adds, addend);
        }
    }

    private static void Row<TMap>(ArrayView<Float32> image, int target, Line row, int columns, bool adds, Float32 addend)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        image[target] = adds ? row.V0 + addend : row.V0;
        if (columns > 1)
        {
            image[target + 8] = adds ? row.V1 + addend : row.V1;
        }

        if (map.Outputs > 2 && columns > 2)
        {
            image[target + 16] = adds ? row.V2 + addend : row.V2;
        }

        if (map.Outputs > 3 && columns > 3)
        {
            image[target + 24] = adds ? row.V3 + addend : row.V3;
        }
    }
}
