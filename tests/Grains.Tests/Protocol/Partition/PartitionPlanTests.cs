using ConvNet.Engine.Parameters;
using ConvNet.Grains.Protocol.Partition;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Partition;

public class PartitionPlanTests
{
    /// <summary>About 700 blocks in three buckets, with batch norms in two of them.</summary>
    private static readonly ParameterLayout Large = new(
    [
        Tensor("0.weight", 200_000, ParameterRole.Weight, 0),
        Tensor("1.weight", 1500, ParameterRole.Scale, 1, true),
        Tensor("1.bias", 1500, ParameterRole.Shift, 1, true),
        Tensor("2.weight", 500_000, ParameterRole.Weight, 2),
        Tensor("3.weight", 40, ParameterRole.Scale, 3, true),
        Tensor("3.bias", 40, ParameterRole.Shift, 3, true),
    ]);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Chunks_cover_local_storage_once_and_keep_to_one_bucket_and_one_source(int partitions)
    {
        for (int partition = 0; partition < partitions; partition++)
        {
            var plan = new PartitionPlan(Large, partition, partitions);
            int next = 0;
            foreach (Chunk chunk in plan.Chunks)
            {
                Assert.Equal(next, chunk.FirstBlock);
                Assert.InRange(chunk.BlockCount, 1, PartitionPlan.BlocksPerChunk);
                next = chunk.EndBlock;
                Bucket bucket = Large.Buckets[chunk.Bucket];
                for (int block = chunk.FirstBlock; block < chunk.EndBlock; block++)
                {
                    Assert.InRange(plan.Blocks[block], bucket.FirstBlock, bucket.EndBlock - 1);
                    Assert.Equal(chunk.DeliveredByBatchNorm, plan.TensorAt(block).DeliveredByBatchNorm);
                }
            }

            Assert.Equal(plan.Blocks.Length, next);
        }
    }

    [Fact]
    public void Together_the_partitions_own_every_block_once()
    {
        int[] owned = [.. Enumerable.Range(0, 3).SelectMany(partition => new PartitionPlan(Large, partition, 3).Blocks).Order()];

        Assert.Equal(Enumerable.Range(0, Large.Blocks.Length), owned);
    }

    [Fact]
    public void What_is_gathered_is_scattered_to_the_same_place()
    {
        float[][] tensors = [.. Large.Tensors.Select((tensor, t) => Enumerable.Range(0, tensor.Count).Select(i => t * 1e6f + i).ToArray())];
        float[][] byChunk = [.. Large.Tensors.Select(tensor => new float[tensor.BlockCount * Parameter.BlockSize])];
        for (int partition = 0; partition < 3; partition++)
        {
            var plan = new PartitionPlan(Large, partition, 3);
            var local = new float[plan.Length];
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                plan.Gather(tensor, tensors[tensor], local);
            }

            foreach (Chunk chunk in plan.Chunks)
            {
                plan.ScatterChunk(chunk.Index, local.AsSpan(chunk.Offset, chunk.Length), tensor => byChunk[tensor]);
                var floats = new float[chunk.Length];
                plan.GatherChunk(chunk.Index, tensor => byChunk[tensor], floats);
                Assert.True(floats.AsSpan().SequenceEqual(local.AsSpan(chunk.Offset, chunk.Length)));
            }
        }

        for (int tensor = 0; tensor < tensors.Length; tensor++)
        {
            Assert.Equal(tensors[tensor], byChunk[tensor][..tensors[tensor].Length]);
        }
    }

    [Fact]
    public void Each_tensor_knows_the_chunks_that_hold_it()
    {
        var plan = new PartitionPlan(Large, 1, 2);
        for (int tensor = 0; tensor < Large.Tensors.Count; tensor++)
        {
            int blocks = 0;
            foreach (int chunk in plan.ChunksOfTensor(tensor))
            {
                Chunk cut = plan.Chunks[chunk];
                blocks += Enumerable.Range(cut.FirstBlock, cut.BlockCount).Count(block => plan.BlockAt(block).Tensor == tensor);
            }

            Assert.Equal(plan.Blocks.Count(block => Large.Blocks[block].Tensor == tensor), blocks);
        }
    }

    [Fact]
    public void Batch_norm_blocks_name_their_norm_channel_and_role()
    {
        BatchNormBlock[] blocks = [.. Enumerable.Range(0, 2).SelectMany(partition => new PartitionPlan(Large, partition, 2).BatchNormBlocks)];

        Assert.Equal(6, blocks.Length);
        Assert.Equal(
            [(0, ParameterRole.Scale, 0, 1024), (0, ParameterRole.Scale, 1024, 476), (0, ParameterRole.Shift, 0, 1024), (0, ParameterRole.Shift, 1024, 476),
                (1, ParameterRole.Scale, 0, 40), (1, ParameterRole.Shift, 0, 40)],
            blocks.Select(block => (block.Norm, block.Role, block.Channel, block.Length)).Order());
    }

    private static Parameter Tensor(string name, int count, ParameterRole role, int layer, bool delivered = false) =>
        new(name, [count], role, layer, 0, 1, 1, delivered);
}
