using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Tests.Training;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Gradients, loss and moments have the same bits for every layout of the same job.</summary>
public class LayerDeterminismTests
{
    private const string Model = """
        {"name":"mix","input":[3,8,8],"layers":[
          {"type":"conv","out":12,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"dropout","rate":0.3},
          {"type":"residual","main":[{"type":"conv","out":12,"kernel":3,"padding":1},{"type":"batchNorm"}]},
          {"type":"maxPool","size":2},{"type":"groupNorm","groups":3},{"type":"layerNorm"},
          {"type":"locallyConnected","out":5,"kernel":2,"bias":true},{"type":"batchNorm"},{"type":"instanceNorm"},
          {"type":"avgPool","size":3,"stride":1,"padding":1},{"type":"flatten"},{"type":"fullyConnected","out":4}]}
        """;

    /// <summary>Normalization, ReLU and pooling run as one pass, behind a convolution and, with an input gradient, behind a pooling.</summary>
    private const string Pooled = """
        {"name":"pooled","input":[3,16,16],"layers":[
          {"type":"conv","out":12,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"avgPool","size":1,"stride":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"conv","out":20,"kernel":3,"padding":1},{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2,"stride":2},
          {"type":"flatten"},{"type":"fullyConnected","out":4}]}
        """;

    [Theory]
    [InlineData(BatchNormMode.Sync, 10, 4)]
    [InlineData(BatchNormMode.Shard, 10, 4)]
    [InlineData(BatchNormMode.Sync, 3, 4)]
    [InlineData(BatchNormMode.Sync, 7, 5)]
    [InlineData(BatchNormMode.Shard, 7, 5)]
    public void Any_number_of_workers_and_threads_gives_the_same_bits(BatchNormMode mode, int batch, int shards)
    {
        string one = ClusterProbe.Run(Model, mode, batch, [shards], 1);
        Assert.Equal(one, ClusterProbe.Run(Model, mode, batch, [shards], 2));
        Assert.Equal(one, ClusterProbe.Run(Model, mode, batch, [1, shards], 1));
        Assert.Equal(one, ClusterProbe.Run(Model, mode, batch, [2, 3, shards], 2));
        Assert.Equal(one, ClusterProbe.Run(Model, mode, batch, [.. Enumerable.Range(1, shards)], 1));
    }

    [Theory]
    [InlineData(BatchNormMode.Sync)]
    [InlineData(BatchNormMode.Shard)]
    public void Pooling_fused_with_the_norm_before_it_keeps_the_promise(BatchNormMode mode)
    {
        string one = ClusterProbe.Run(Pooled, mode, 10, [4], 1);
        Assert.Equal(one, ClusterProbe.Run(Pooled, mode, 10, [4], 2));
        Assert.Equal(one, ClusterProbe.Run(Pooled, mode, 10, [1, 2, 3, 4], 1));
        Assert.Equal(one, ClusterProbe.Run(Pooled, mode, 10, [1, 2, 3, 4], 2));
    }

    [Fact]
    public void The_reference_kernels_keep_the_promise_too()
    {
        string one = ClusterProbe.Run(Model, BatchNormMode.Sync, 6, [4], 1, KernelSet.Reference);
        Assert.Equal(one, ClusterProbe.Run(Model, BatchNormMode.Sync, 6, [1, 4], 2, KernelSet.Reference));
    }

    [Fact]
    public void Another_number_of_shards_or_another_seed_gives_other_bits()
    {
        string four = ClusterProbe.Run(Model, BatchNormMode.Sync, 10, [4], 1);
        Assert.NotEqual(four, ClusterProbe.Run(Model, BatchNormMode.Sync, 10, [3], 1));
        Assert.NotEqual(four, ClusterProbe.Run(Model, BatchNormMode.Sync, 10, [4], 1, seed: 6));
    }
}
