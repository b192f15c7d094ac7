using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Planes of points from and to memory, where point (i, j) lies (i·side + j)·step past the first.</summary>
internal static class PointLines
{
    /// <summary>What a map makes its rows of, as columns.</summary>
    public static Plane LoadPlane<TMap>(ArrayView<Float32> points, long at, int step)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        Plane plane = default;
        plane.L0 = Load<TMap>(points, at, step);
        plane.L1 = Load<TMap>(points, at + step, step);
        plane.L2 = map.Inputs > 2 ? Load<TMap>(points, at + 2L * step, step) : default;
        plane.L3 = map.Inputs > 3 ? Load<TMap>(points, at + 3L * step, step) : default;
        plane.L4 = map.Inputs > 4 ? Load<TMap>(points, at + 4L * step, step) : default;
        plane.L5 = map.Inputs > 5 ? Load<TMap>(points, at + 5L * step, step) : default;
        return plane;
    }

    /// <summary>The rows that a map has made.</summary>
    public static void StorePlane<TMap>(Plane rows, ArrayView<Float32> points, long at, int step)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        long line = (long)map.Outputs * step;
        Store<TMap>(rows.L0, points, at, step);
        Store<TMap>(rows.L1, points, at + line, step);
        Store<TMap>(rows.L2, points, at + 2 * line, step);
        if (map.Outputs > 3)
        {
            Store<TMap>(rows.L3, points, at + 3 * line, step);
        }

        if (map.Outputs > 4)
        {
            Store<TMap>(rows.L4, points, at + 4 * line, step);
        }

        if (map.Outputs > 5)
        {
            Store<TMap>(rows.L5, points, at + 5 * line, step);
        }
    }

    /// <summary>A column: points (0, j), (1, j), …</summary>
    private static Line Load<TMap>(ArrayView<Float32> points, long at, int step)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        long line = (long)map.Inputs * step;
        Line column = default;
        column.V0 = points[at];
        column.V1 = points[at + line];
        column.V2 = map.Inputs > 2 ? points[at + 2 * line] : Float32.Zero;
        column.V3 = map.Inputs > 3 ? points[at + 3 * line] : Float32.Zero;
        column.V4 = map.Inputs > 4 ? points[at + 4 * line] : Float32.Zero;
        column.V5 = map.Inputs > 5 ? points[at + 5 * line] : Float32.Zero;
        return column;
    }

    private static void Store<TMap>(Line row, ArrayView<Float32> points, long at, int step)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        points[at] = row.V0;
        points[at + step] = row.V1;
        points[at + 2L * step] = row.V2;
        if (map.Outputs > 3)
        {
            points[at + 3L * step] = row.V3;
        }

        if (map.Outputs > 4)
        {
            points[at + 4L * step] = row.V4;
        }

        if (map.Outputs > 5)
        {
            points[at + 5L * step] = row.V5;
        }
    }
}
