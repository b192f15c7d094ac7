using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Devices;
using Xunit;

namespace ConvNet.Gpu.Tests.Layers;

/// <summary>Every layer kind but convolutions against the engine, over odd shapes.</summary>
public sealed class LayerBitTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    private const string Norm = """{"type":"batchNorm"}""";
    private const string Relu = """{"type":"relu"}""";
    private const string Halve = """{"type":"maxPool","size":2,"stride":2}""";

    private readonly KernelDevice _device = emulated.Device;

    public static TheoryData<string> Layers =>
    [
        Relu,
        """{"type":"flatten"}""",
        """{"type":"dropout","rate":0.4}""",
        Norm,
        $"{Norm},{Relu}",
        $"{Norm},{Relu},{Norm}",
        """{"type":"layerNorm"}""",
        """{"type":"instanceNorm"}""",
        """{"type":"maxPool","size":3,"stride":2,"padding":1,"rounding":"floor"}""",
        """{"type":"maxPool","size":[3,2],"stride":1}""",
        """{"type":"maxPool","size":2,"stride":2,"rounding":"floor"}""",
        """{"type":"avgPool","size":3,"stride":2,"padding":1,"rounding":"floor"}""",
        """{"type":"avgPool","size":[2,3],"stride":1}""",
        """{"type":"globalAvgPool"}""",
        """{"type":"flatten"},{"type":"fullyConnected","out":11}""",
        """{"type":"flatten"},{"type":"fullyConnected","out":9,"bias":false}""",
        $$$"""{"type":"residual","main":[{{{Norm}}},{{{Relu}}}]}""",
        $$$"""{"type":"residual","main":[{{{Norm}}}],"shortcut":[{{{Relu}}},{{{Norm}}}]}""",
    ];

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layer_has_the_engines_bits(string layers)
    {
        new TwinPass(_device, layers, new Shape(3, 5, 6), batch: 9, (0, 4), seed: 1).AssertSame();
        new TwinPass(_device, layers, new Shape(10, 7, 4), batch: 7, (1, 4), seed: 2).AssertSame();
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layer_has_the_engines_bits_with_a_value_that_is_no_number(string layers) =>
        new TwinPass(_device, layers, new Shape(9, 5, 4), batch: 5, (0, 3), seed: 3) { Odd = float.NaN }.AssertSame();

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layer_has_the_engines_bits_with_infinity(string layers) =>
        new TwinPass(_device, layers, new Shape(8, 4, 5), batch: 4, (0, 4), seed: 4) { Odd = float.PositiveInfinity }.AssertSame();

    [Fact]
    public void A_group_norm_has_the_engines_bits()
    {
        new TwinPass(_device, """{"type":"groupNorm","groups":3}""", new Shape(12, 3, 5), batch: 6, (0, 4), seed: 5).AssertSame();
        new TwinPass(_device, """{"type":"groupNorm","groups":2}""", new Shape(10, 1, 1), batch: 6, (2, 4), seed: 6).AssertSame();
    }

    [Theory]
    [InlineData(BatchNormMode.Sync)]
    [InlineData(BatchNormMode.Shard)]
    public void A_batch_norm_with_relu_and_pooling_has_the_engines_bits(BatchNormMode mode)
    {
        string pooled = $"{Norm},{Relu},{Halve}";
        new TwinPass(_device, pooled, new Shape(5, 6, 4), batch: 7, (0, 4), seed: 7, mode).AssertSame();
        new TwinPass(_device, pooled, new Shape(9, 2, 10), batch: 6, (1, 3), seed: 8, mode).AssertSame();
        new TwinPass(_device, pooled, new Shape(4, 6, 6), batch: 8, (0, 2), seed: 9, mode).AssertSame();
        new TwinPass(_device, pooled, new Shape(4, 4, 6), batch: 3, (0, 4), seed: 10, mode).AssertSame();
        new TwinPass(_device, pooled, new Shape(4, 4, 6), batch: 3, (1, 4), seed: 11, mode).AssertSame();
        new TwinPass(_device, pooled, new Shape(3, 4, 4), batch: 1, (0, 4), seed: 12, mode).AssertSame();
    }

    [Theory]
    [InlineData(1, 130)]
    [InlineData(13, 11)]
    [InlineData(8, 8)]
    [InlineData(1, 1)]
    public void Statistics_over_many_pixels_have_the_engines_bits(int height, int width)
    {
        new TwinPass(_device, Norm, new Shape(3, height, width), batch: 5, (0, 4), seed: 9).AssertSame();
        new TwinPass(_device, $"{Norm},{Relu}", new Shape(3, height, width), batch: 5, (0, 4), seed: 10, BatchNormMode.Shard).AssertSame();
    }

    [Fact]
    public void A_fully_connected_layer_sums_runs_of_samples_as_the_engine()
    {
        new TwinPass(_device, """{"type":"fullyConnected","out":3}""", new Shape(5, 1, 1), batch: 1100, (0, 4), seed: 11).AssertSame();
    }
}
