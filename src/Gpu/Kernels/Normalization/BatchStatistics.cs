using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// The statistics of a whole batch from the leaves of its shards, combined in the order of the plan, in double, as the engine's Moments and
/// BackwardSums are, and batch norm's constants of them. An item is a channel.
/// </summary>
internal static class BatchStatistics
{
    /// <summary>From the shards' mean and M2 those of the batch.</summary>
    /// <param name="leaves">(2, shards, lanes); used up, and the first shard's hold the batch's then.</param>
    public static void Forward(Index1D c, ArrayView<Float64> leaves, Additions additions, ArrayView<Float32> constants, int shards, int lanes, int area)
    {
        int m2s = shards * lanes;
        for (int a = 0; a < additions.Count; a++)
        {
            int left = additions.Left(a) * lanes + c, right = additions.Right(a) * lanes + c;
            long count = (long)additions.LeftSamples(a) * area, others = (long)additions.RightSamples(a) * area;
            Float64 share = (Float64)others / (Float64)(count + others);
            Float64 delta = leaves[right] - leaves[left];
            leaves[m2s + left] = leaves[m2s + left] + leaves[m2s + right] + delta * delta * (Float64)count * share;
            leaves[left] = leaves[left] + delta * share;
        }

        Float64 mean = leaves[c];
        Float64 variance = leaves[m2s + c] / (Float64)((long)additions.Samples * area);
        var high = (Float32)mean;
        constants[c + NormPlace.MeanHigh * lanes] = high;
        constants[c + NormPlace.MeanLow * lanes] = (Float32)(mean - high);
        constants[c + NormPlace.InverseDeviation * lanes] = (Float32)((Float64)1.0 / Float64.Sqrt(variance + NormPlace.Epsilon));
    }

    /// <summary>From the shards' Σdy and Σdy·x̂ those of the batch.</summary>
    /// <param name="leaves">As in <see cref="Forward"/>.</param>
    public static void Backward(Index1D c, ArrayView<Float64> leaves, Additions additions, NormViews norm, int shards, int area)
    {
        int lanes = norm.Lanes;
        int second = shards * lanes;
        for (int a = 0; a < additions.Count; a++)
        {
            int left = additions.Left(a) * lanes + c, right = additions.Right(a) * lanes + c;
            leaves[left] = leaves[left] + leaves[right];
            leaves[second + left] = leaves[second + left] + leaves[second + right];
        }

        var count = (Float64)((long)additions.Samples * area);
        Float64 gamma = norm.Gamma[c];
        NormPlace.StoreBackward(norm, set: 0, c, gamma * leaves[c] / count, gamma * leaves[second + c] / count);
    }
}
