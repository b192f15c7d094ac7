using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>The sums of runs that were formed side by side, added one after the other.</summary>
internal static class RunSums
{
    /// <summary>Items are (shard, place among its sums).</summary>
    /// <param name="parts">(run, place), from run FirstRun to EndRun.</param>
    /// <param name="sums">(shard, place); a shard that has begun before the first run goes on from its sum, and one without a run here stays.</param>
    /// <param name="shards">As in <see cref="GradientProducts.Channels"/>.</param>
    public static void Add(Index1D i, ArrayView<Float32> parts, ArrayView<Float32> sums, ArrayView<int> shards, GradientGrid grid)
    {
        int place = i % grid.ShardStep;
        int shard = grid.FirstShard + i / grid.ShardStep;
        int begin = shards[shard];
        int run = IntrinsicMath.Max(begin, grid.FirstRun);
        int end = IntrinsicMath.Min(shards[shard + 1], grid.EndRun);
        if (run < end)
        {
            Float32 sum = run > begin ? sums[i] : Float32.Zero;
            for (; run < end; run++)
            {
                Float32 part = parts[(run - grid.FirstRun) * grid.ShardStep + place];
                sum = run == begin && grid.AddsToZero == 0 ? part : sum + part;
            }

            sums[i] = sum;
        }
    }
}
