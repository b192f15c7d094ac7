using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>Launches the products of convolutions, in one of two forms with the same bits.</summary>
/// <param name="device">Runs them.</param>
/// <param name="inGroups">
/// True for groups of threads that share what they read, which is faster on a GPU; false for a thread for each value, which is faster where the
/// processor emulates one, because no thread waits for others.
/// </param>
internal sealed class Products(KernelDevice device, bool inGroups)
{
    public KernelDevice Device { get; } = device;

    public static Products For(KernelDevice device) => new(device, inGroups: !device.IsEmulated);

    /// <inheritdoc cref="GatheredProducts.Values"/>
    public void Gather(
        ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<int> taps, ArrayView<Float32> destination,
        GatherGrid grid)
    {
        if (inGroups)
        {
            int groups = checked(
                grid.Batches * Tiles(grid.Pixels, GatheredTiles.Side) * Tiles(grid.Filters, GatheredTiles.Side));
            Device.RunGroups(GatheredTiles.Products, groups, GatheredTiles.Threads, source, weights, bias, taps, destination, grid);
            return;
        }

        int items = checked(grid.Batches * ((grid.Filters + 7) / 8) * grid.Pixels * 8);
        Device.Run(GatheredProducts.Values, items, source, weights, bias, taps, destination, grid);
    }

    /// <inheritdoc cref="GradientProducts.Values"/>
    public void AddGradients(
        ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, RunTable runs, GradientGrid grid)
    {
        if (inGroups)
        {
            int groups = checked(
                grid.Shards * grid.Batches * Tiles(grid.StripCount, GradientTiles.Strips) * Tiles(grid.Filters, GradientTiles.Side));
            Device.RunGroups(GradientTiles.Products, groups, GradientTiles.Threads, x, dy, sums, taps, runs.Runs, runs.Shards, grid);
            return;
        }

        int items = checked(grid.Shards * grid.Batches * grid.Channels * grid.TapCount * grid.Filters);
        Device.Run(GradientProducts.Values, items, x, dy, sums, taps, runs.Runs, runs.Shards, grid);
    }

    private static int Tiles(int length, int side) => (length + side - 1) / side;
}
