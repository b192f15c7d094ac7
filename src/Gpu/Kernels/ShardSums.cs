using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels;

/// <summary>The tree over the shards: each value by itself, the additions in the order of the plan, as in the engine's GradientTree.</summary>
internal static class ShardSums
{
    /// <param name="leaves">(shards, length); left becomes left + right.</param>
    public static void Add(Index1D i, ArrayView<Float32> leaves, Additions additions, int length)
    {
        for (int a = 0; a < additions.Count; a++)
        {
            long left = (long)additions.Left(a) * length + i;
            long right = (long)additions.Right(a) * length + i;
            leaves[left] = leaves[left] + leaves[right];
        }
    }
}
