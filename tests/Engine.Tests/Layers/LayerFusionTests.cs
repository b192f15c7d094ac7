using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Layers that the fast kernels run in one pass give what the reference kernels give one by one.</summary>
public sealed class LayerFusionTests
{
    private const string NormReLUPool = """{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":2}""";

    private const string Convolution = """{"type":"conv","out":11,"kernel":3,"padding":1},""";

    private const string Branch = """{"type":"conv","out":12,"kernel":3,"padding":1},{"type":"batchNorm"}""";

    private const string Block = $$"""{"type":"residual","main":[{{Branch}},{"type":"relu"},{{Branch}}]}""";

    private const string NormedShortcut =
        $$"""{"type":"residual","main":[{{Branch}}],"shortcut":[{"type":"conv","out":12,"kernel":1},{"type":"batchNorm"}]}""";

    private const string PlainShortcut = $$"""{"type":"residual","main":[{{Branch}}],"shortcut":[{"type":"conv","out":12,"kernel":1}]}""";

    private const string PooledShortcut =
        $$"""{"type":"residual","main":[{{Branch}}],"shortcut":[{"type":"batchNorm"},{"type":"avgPool","size":3,"stride":1,"padding":1}]}""";

    private const string OverwritingShortcut = $$"""{"type":"residual","main":[{{Branch}}],"shortcut":[{"type":"batchNorm"}]}""";

    private const string EarlyNorm =
        """{"type":"residual","main":[{"type":"batchNorm"},{"type":"relu"},{"type":"conv","out":12,"kernel":3,"padding":1}]}""";

    private const string NestedBlock = $$"""{"type":"residual","main":[{"type":"relu"},{{Branch}},{{Block}}]}""";

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
        { $"{Block},{Block}", 7, 5, BatchNormMode.Sync },
        { $"{Block},{NormedShortcut},{Block}", 4, 6, BatchNormMode.Shard },
        { $"{Convolution}{NormReLUPool},{Convolution}{NormReLUPool}", 8, 12, BatchNormMode.Sync },
        { $"{NormedShortcut},{PlainShortcut},{PooledShortcut}", 5, 5, BatchNormMode.Sync },
        { $"{Branch},{OverwritingShortcut}", 5, 5, BatchNormMode.Sync },
        { $$"""{{Branch}},{"type":"relu"},{"type":"maxPool","size":2},{"type":"flatten"}""", 4, 6, BatchNormMode.Sync },
        { $"{EarlyNorm},{Block},{EarlyNorm}", 5, 5, BatchNormMode.Sync },
        { $$"""{{NestedBlock}},{"type":"globalAvgPool"},{"type":"flatten"},{"type":"fullyConnected","out":7}""", 5, 5, BatchNormMode.Sync },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fused_layers_agree_with_the_reference(string layers, int height, int width, BatchNormMode mode)
    {
        using var team = new ThreadTeam(2);
        var reference = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Reference, team);
        var fast = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Fast, team);
        reference.Run();
        fast.Run();
        Assert.InRange(reference.Difference(fast), 0, 1e-5);
        Assert.True(fast.PaddingIsZero());
    }

    /// <summary>Evaluation works on samples while they are in cache: in place, with both pools and with a residual sum.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Evaluation_agrees_with_the_reference(string layers, int height, int width, BatchNormMode mode)
    {
        using var team = new ThreadTeam(2);
        var reference = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Reference, team);
        var fast = new LayerProbe(layers, new Shape(12, height, width), 5, mode, KernelSet.Fast, team);
        reference.Evaluate();
        fast.Evaluate();
        Assert.InRange(reference.OutputDifference(fast), 0, 1e-5);
        Assert.True(fast.PaddingIsZero());
    }

    [Theory]
    [InlineData(NormReLUPool, true)]
    [InlineData("""{"type":"batchNorm"},{"type":"relu"},{"type":"maxPool","size":3,"stride":1}""", false)]
    [InlineData("""{"type":"batchNorm"},{"type":"maxPool","size":2}""", false)]
    public void Only_pooling_that_fits_is_taken_over(string layers, bool expected)
    {
        ModelSpec spec = ModelFile.Parse($$"""{"name":"m","input":[3,4,6],"layers":[{{layers}}]}""");
        LayerSequence sequence = new ModelBuilder(BatchNormMode.Sync).Build(spec.Layers, "", spec.Input);
        Assert.Equal(expected, ((BatchNorm)sequence.Layers[0]).FeedsPool is not null);
    }

    [Theory]
    [InlineData(NormReLUPool, 5e-3)]
    [InlineData(Block, 2e-2)]
    [InlineData($"{NormedShortcut},{Block}", 2e-2)]
    [InlineData($"{OverwritingShortcut},{EarlyNorm}", 2e-2)]
    public void Fused_layers_have_the_gradient_of_the_forward_pass(string layers, double tolerance)
    {
        using var team = new ThreadTeam(1);
        var probe = new LayerProbe(layers, new Shape(12, 4, 6), 5, BatchNormMode.Sync, KernelSet.Fast, team);
        probe.Run();
        Assert.InRange(probe.ParameterError(), 0, tolerance);
        Assert.InRange(probe.InputError(), 0, tolerance);
    }
}
