using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>The gradient of a bias: the pixels of a run are summed from zero, and the runs added to zero one after the other, as in the engine.</summary>
internal static class BiasSums
{
    /// <summary>Items are (run, channel), channels padded to whole blocks: the sum of one run.</summary>
    /// <param name="runs">The pixel at which each run begins, counted over all samples, and one entry more.</param>
    /// <param name="area">Pixels of a sample.</param>
    /// <param name="blocks">Blocks of 8 channels.</param>
    public static void Runs(Index1D i, ArrayView<Float32> dy, ArrayView<int> runs, ArrayView<Float32> sums, int area, int blocks)
    {
        int channel = i % (blocks * 8);
        int run = i / (blocks * 8);
        Float32 sum = Float32.Zero;
        for (int pixel = runs[run]; pixel < runs[run + 1]; pixel++)
        {
            sum = sum + dy[(pixel / area * blocks * area + pixel % area) * 8 + ChannelBlocks.Offset(channel, area)];
        }

        sums[i] = sum;
    }

    /// <summary>Items are (shard, channel): the leaf of one shard.</summary>
    /// <param name="sums">(run, channel), channels padded to whole blocks.</param>
    /// <param name="shards">For each shard its first run, and one entry more.</param>
    /// <param name="leaves">(shard, channel).</param>
    public static void Leaves(Index1D i, ArrayView<Float32> sums, ArrayView<int> shards, ArrayView<Float32> leaves, int channels)
    {
        int channel = i % channels;
        int shard = i / channels;
        int line = (channels + 7) / 8 * 8;
        Float32 sum = Float32.Zero;
        for (int run = shards[shard]; run < shards[shard + 1]; run++)
        {
            sum = sum + sums[run * line + channel];
        }

        leaves[i] = sum;
    }
}
