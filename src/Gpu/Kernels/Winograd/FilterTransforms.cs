using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>
/// Filters to points, one for each item, as in the engine's FilterPoints; and the sums of a weight gradient at the points to taps, as in its
/// WinogradGradientPass.
/// </summary>
internal static class FilterTransforms
{
    /// <param name="weights">(K, C, R, S).</param>
    /// <param name="points">
    /// (point, channels that are summed over, channels that result), both padded to whole blocks: filters that are not there are transformed as zeros.
    /// </param>
    public static void FilterOf4(Index1D i, ArrayView<Float32> weights, ArrayView<Float32> points, FilterGrid grid) =>
        ToPoints<F4.Filter>(i, weights, points, grid);

    public static void FilterOf25(Index1D i, ArrayView<Float32> weights, ArrayView<Float32> points, FilterGrid grid) =>
        ToPoints<F25.Filter>(i, weights, points, grid);

    public static void FilterOf2(Index1D i, ArrayView<Float32> weights, ArrayView<Float32> points, FilterGrid grid) =>
        ToPoints<F2.Filter>(i, weights, points, grid);

    /// <param name="sums">(shard, point, C, K), channels padded to whole blocks.</param>
    /// <param name="leaves">(shard, K, C, R, S); the first shard of the sums is <paramref name="firstShard"/>.</param>
    public static void TapsOf4(Index1D i, ArrayView<Float32> sums, ArrayView<Float32> leaves, FilterGrid grid, int firstShard) =>
        ToTaps<F4.FilterGradient>(i, sums, leaves, grid, firstShard);

    public static void TapsOf25(Index1D i, ArrayView<Float32> sums, ArrayView<Float32> leaves, FilterGrid grid, int firstShard) =>
        ToTaps<F25.FilterGradient>(i, sums, leaves, grid, firstShard);

    public static void TapsOf2(Index1D i, ArrayView<Float32> sums, ArrayView<Float32> leaves, FilterGrid grid, int firstShard) =>
        ToTaps<F2.FilterGradient>(i, sums, leaves, grid, firstShard);

    private static void ToPoints<TMap>(int i, ArrayView<Float32> weights, ArrayView<Float32> points, FilterGrid grid)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        int input = i / grid.PaddedOutputs;
        int output = i % grid.PaddedOutputs;
        Plane plane = default;
        if (input < grid.Inputs && output < grid.Outputs)
        {
            int taps = map.Inputs * map.Inputs;
            int first = input * grid.InputStep + output * grid.OutputStep;
            int at = grid.Rotated != 0 ? first + taps - 1 : first;
            int step = grid.Rotated != 0 ? -1 : 1;
            plane.L0 = Column<TMap>(weights, at, step);
            plane.L1 = Column<TMap>(weights, at + step, step);
            plane.L2 = Column<TMap>(weights, at + 2 * step, step);
            plane.L3 = map.Inputs > 3 ? Column<TMap>(weights, at + 3 * step, step) : default;
            plane.L4 = map.Inputs > 4 ? Column<TMap>(weights, at + 4 * step, step) : default;
        }

        PointLines.StorePlane<TMap>(Plane.Map<TMap>(plane), points, i, grid.PointStep);
    }

    /// <summary>The taps of one column of a filter.</summary>
    private static Line Column<TMap>(ArrayView<Float32> weights, int at, int step)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        Line line = default;
        line.V0 = weights[at];
        line.V1 = weights[at + map.Inputs * step];
        line.V2 = weights[at + 2 * map.Inputs * step];
        line.V3 = map.Inputs > 3 ? weights[at + 3 * map.Inputs * step] : Float32.Zero;
        line.V4 = map.Inputs > 4 ? weights[at + 4 * map.Inputs * step] : Float32.Zero;
        return line;
    }

    private static void ToTaps<TMap>(int i, ArrayView<Float32> sums, ArrayView<Float32> leaves, FilterGrid grid, int firstShard)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        int shard = i / grid.PointStep;
        int pair = i % grid.PointStep;
        int input = pair / grid.PaddedOutputs;
        int output = pair % grid.PaddedOutputs;
        if (input < grid.Inputs && output < grid.Outputs)
        {
            long points = (long)shard * map.Inputs * map.Inputs * grid.PointStep;
            Plane taps = Plane.Map<TMap>(PointLines.LoadPlane<TMap>(sums, points + pair, grid.PointStep));
            long leaf = (long)(firstShard + shard) * grid.Inputs * grid.Outputs * map.Outputs * map.Outputs;
            PointLines.StorePlane<TMap>(taps, leaves, leaf + input * grid.InputStep + output * grid.OutputStep, 1);
        }
    }
}
