using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>What samples have measured, put together over the samples of a shard in their order, in double, as the engine's ChannelSums does.</summary>
internal static class ShardStatistics
{
    /// <summary>Mean and M2 of a shard's channel. An item is a lane of a shard.</summary>
    /// <param name="first">First[s] … First[s + 1] − 1 are the samples of shard s.</param>
    public static void Merge(
        Index1D i,
        ArrayView<Float64> means,
        ArrayView<Float64> m2s,
        ArrayView<int> first,
        ArrayView<Float64> leafMeans,
        ArrayView<Float64> leafM2s,
        int lanes,
        int area)
    {
        int shard = i / lanes;
        int lane = i - shard * lanes;
        int start = first[shard], end = first[shard + 1];
        Float64 mean = means[start * lanes + lane], m2 = m2s[start * lanes + lane];
        for (int n = start + 1; n < end; n++)
        {
            Absorb(means[n * lanes + lane], m2s[n * lanes + lane], (long)(n - start) * area, area, ref mean, ref m2);
        }

        leafMeans[i] = mean;
        leafM2s[i] = m2;
    }

    /// <summary>Two sums of a shard's channel. An item is a lane of a shard of one of both.</summary>
    /// <param name="sums">(2, samples, lanes).</param>
    /// <param name="first">As in <see cref="Merge"/>.</param>
    /// <param name="leaves">(2, shards, lanes).</param>
    public static void Total(
        Index1D i, ArrayView<Float64> sums, ArrayView<int> first, ArrayView<Float64> leaves, int samples, int shards, int lanes)
    {
        int row = i / lanes;
        int which = row / shards;
        int shard = row - which * shards;
        int end = first[shard + 1];
        int at = which * samples * lanes + i - row * lanes;
        Float64 total = Float64.Zero;
        for (int n = first[shard]; n < end; n++)
        {
            total = total + sums[at + n * lanes];
        }

        leaves[i] = total;
    }

    /// <summary>(shards, lanes) in double to (shards, channels) in float: the leaves of an ordinary gradient.</summary>
    public static void Round(Index1D i, ArrayView<Float64> leaves, ArrayView<Float32> rounded, int lanes, int channels)
    {
        int shard = i / channels;
        rounded[i] = (Float32)leaves[shard * lanes + i - shard * channels];
    }

    /// <summary>Adds a set of <paramref name="count"/> values to one of <paramref name="before"/>: the arithmetic of the engine's Moments.</summary>
    internal static void Absorb(Float64 otherMean, Float64 otherM2, long before, int count, ref Float64 mean, ref Float64 m2)
    {
        Float64 share = (Float64)count / (Float64)(before + count);
        Float64 delta = otherMean - mean;
        mean = mean + delta * share;
        m2 = m2 + (otherM2 + delta * delta * (Float64)before * share);
    }
}
