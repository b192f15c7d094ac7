using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>Launches the products of convolutions, in one of two forms with the same bits.</summary>
/// <param name="device">Runs them.</param>
/// <param name="inGroups">
/// True for groups of threads that share what they read, which is faster on a GPU; false for threads by themselves, which is faster where the
/// processor emulates one, because no thread waits for others.
/// </param>
/// <param name="manyGroups">As many groups as keep a GPU busy: where there are fewer, the runs of a gradient are summed side by side.</param>
internal sealed class Products(KernelDevice device, bool inGroups, int manyGroups = 512)
{
    /// <summary>Floats of sums of runs at a time.</summary>
    private const int MaxParts = 1 << 25;

    public KernelDevice Device { get; } = device;

    public static Products For(KernelDevice device) => new(device, inGroups: !device.IsEmulated);

    /// <inheritdoc cref="GatheredProducts.Pixels"/>
    public void Gather(
        ArrayView<Float32> source, ArrayView<Float32> weights, ArrayView<Float32> bias, ArrayView<int> taps, ArrayView<Float32> destination,
        GatherGrid grid)
    {
        if (inGroups)
        {
            int groups = checked(grid.Batches * Tiles(grid.Pixels, GatheredTiles.Side) * Tiles(grid.Filters, GatheredTiles.Side));
            Device.RunGroups(GatheredTiles.Products, groups, GatheredTiles.Threads, source, weights, bias, taps, destination, grid);
        }
        else
        {
            Device.Run(GatheredProducts.Pixels, checked(grid.Batches * grid.Pixels), source, weights, bias, taps, destination, grid);
        }
    }

    /// <inheritdoc cref="GradientProducts.Channels"/>
    public void AddGradients(
        ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, RunTable runs, GradientGrid grid)
    {
        if (!inGroups)
        {
            int items = checked(grid.Shards * grid.Batches * grid.Channels);
            Device.Run(GradientProducts.Channels, items, x, dy, sums, taps, runs.Runs, runs.Shards, grid);
        }
        else if (GroupsOf(grid) < manyGroups && grid.ShardStep <= MaxParts / 2)
        {
            AddRunsSideBySide(x, dy, sums, taps, runs, grid);
        }
        else
        {
            Device.RunGroups(GradientTiles.Products, GroupsOf(grid), GradientTiles.Threads, x, dy, sums, taps, runs.Runs, runs.Shards, grid);
        }
    }

    /// <summary>Each run is summed as if it were a shard of its own; then the sums join those of the shards in their order.</summary>
    private void AddRunsSideBySide(
        ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> sums, ArrayView<int> taps, RunTable runs, GradientGrid grid)
    {
        int first = Math.Max(grid.FirstRun, runs.FirstRuns[grid.FirstShard]);
        int end = Math.Min(grid.EndRun, runs.FirstRuns[grid.FirstShard + grid.Shards]);
        int most = Math.Min(end - first, MaxParts / grid.ShardStep);
        ArrayView<Float32> parts = Device.Scratch(3, (long)most * grid.ShardStep);
        for (; first < end; first += most)
        {
            int count = Math.Min(most, end - first);
            GradientGrid window = grid with { FirstRun = first, EndRun = first + count };
            GradientGrid single = window with { FirstShard = first, Shards = count, AddsToZero = 0 };
            Device.RunGroups(GradientTiles.Products, GroupsOf(single), GradientTiles.Threads, x, dy, parts, taps, runs.Runs, runs.Numbers, single);
            Device.Run(RunSums.Add, checked(grid.Shards * grid.ShardStep), parts, sums, runs.Shards, window);
        }
    }

    private static int GroupsOf(GradientGrid grid) => checked(
        grid.Shards * grid.Batches * Tiles(grid.StripCount, GradientTiles.Strips) * Tiles(grid.Filters, GradientTiles.Side));

    private static int Tiles(int length, int side) => (length + side - 1) / side;
}
