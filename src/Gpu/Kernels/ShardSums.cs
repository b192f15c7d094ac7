using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels;

/// <summary>The tree over the shards: each value by itself, the additions in the order of the plan, as in the engine's GradientTree.</summary>
internal static class ShardSums
{
    /// <param name="leaves">(shards, length); left becomes left + right.</param>
    /// <param name="additions">Pairs (left, right).</param>
    public static void Add(Index1D i, ArrayView<Float32> leaves, ArrayView<int> additions, int count, int length)
    {
        for (int a = 0; a < count; a++)
        {
            long left = (long)additions[2 * a] * length + i;
            long right = (long)additions[2 * a + 1] * length + i;
            leaves[left] = leaves[left] + leaves[right];
        }
    }
}
