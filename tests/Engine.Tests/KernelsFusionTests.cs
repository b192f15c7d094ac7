using ConvNet.Engine.Layers;
using Xunit;

namespace ConvNet.Engine.Tests;

/// <summary>Layers that the fast kernels run in one pass give what the reference kernels give one by one.</summary>
public sealed class KernelsFusionTests
{
    private const string NormReLUPool = """{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2}""";

    private const string Convolution = """{"type":"conv","out":11,"kernel":3,"padding":1},""";

    public static TheoryData<string, int, int, BatchNormMode> Cases => new()
    {
        { NormReLUPool, 6, 8, BatchNormMode.Sync },
        { NormReLUPool, 6, 8, BatchNormMode.Shard },
        { NormReLUPool, 20, 34, BatchNormMode.Sync },
        { NormReLUPool, 2, 2, BatchNormMode.Sync },
        { Convolution + NormReLUPool, 6, 8, BatchNormMode.Sync },
        { Convolution + NormReLUPool, 6, 8, BatchNormMode.Shard },
        { """{"type":"conv","out":8,"kernel":3,"groups":4},{"type":"batchNorm"},{"type":"relu"}""", 7, 5, BatchNormMode.Sync },
        { """{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":3,"stride":2}""", 7, 5, BatchNormMode.Sync },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void FusedLayersAgreeWithTheReference(string layers, int height, int width, BatchNormMode mode)
    {
        using var team = new ThreadTeam(2);
        var reference = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Reference, team);
        var fast = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Fast, team);
        reference.Run();
        fast.Run();
        Assert.InRange(reference.Difference(fast), 0, 1e-5);
        Assert.True(fast.PaddingIsZero());
    }

    [Theory]
    [InlineData(NormReLUPool, true)]
    [InlineData("""{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":3,"stride":1}""", false)]
    [InlineData("""{"type":"batchNorm"},{"type":"maxPool","size":2}""", false)]
    public void OnlyPoolingThatFitsIsTakenOver(string layers, bool expected)
    {
        ModelSpec spec = ModelFile.Parse($$"""{"name":"m","input":[3,4,6],"layers":[{{layers}}]}""");
        LayerSequence sequence = new ModelBuilder(BatchNormMode.Sync).Build(spec.Layers, "", spec.Input);
        Assert.Equal(expected, ((BatchNorm)sequence.Layers[0]).FeedsPool is not null);
    }

    [Fact]
    public void PoolingWithinBatchNormHasTheGradientOfTheForwardPass()
    {
        using var team = new ThreadTeam(1);
        var probe = new LayerProbe(NormReLUPool, new Shape(5, 4, 6), 5, BatchNormMode.Sync, KernelSet.Fast, team);
        probe.Run();
        Assert.InRange(probe.ParameterError(), 0, 5e-3);
    }
}
