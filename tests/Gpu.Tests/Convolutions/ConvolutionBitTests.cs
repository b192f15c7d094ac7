using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Convolutions;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>Every convolution has the processor's bits on a device, in all phases.</summary>
public sealed class ConvolutionBitTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 8)];

    public static TheoryData<int> WinogradCases => [.. Enumerable.Range(0, Winograd.Length)];

    public static TheoryData<int> GroupCases => [.. Enumerable.Range(0, InGroups.Length)];

    /// <summary>One tile of products and several, whole and cut; groups of whole blocks and others; more pixels than a run has.</summary>
    private static ConvolutionGeometry[] InGroups { get; } =
    [
        Geometries.Of(3, 70, new Size(9, 8), 2, 1, 0, 1),
        Geometries.Of(20, 9, new Size(7, 5), new Size(1, 2), 2, 0, 1),
        Geometries.Of(16, 32, new Size(4, 5), 2, 1, 1, 1, groups: 2),
        Geometries.Of(15, 6, new Size(5, 4), 3, new Size(1, 3), 1, 1, groups: 3),
        Geometries.Of(2, 1, new Size(13, 12), 2, 1, 0, 1),
        Geometries.Of(3, 5, new Size(12, 13), 2, 1, 0, 1),
        Geometries.Of(17, 24, new Size(5, 6), 3, 1, 1, 1),
        ConvolutionGeometry.FullyConnected(43, 34),
    ];

    private static ConvolutionGeometry[] Winograd { get; } =
    [
        .. new[] { (16, 16, 5, 4), (17, 24, 4, 9), (24, 19, 2, 3), (16, 33, 7, 2) }.Select((c, i) =>
            Geometries.Of(c.Item1, c.Item2, new Size(c.Item3, c.Item4), 3, 1, 1 + i % 2, 1)),
        Geometries.Of(16, 17, new Size(4, 5), 3, 1, 0, 1),
        Geometries.Of(16, 18, new Size(5, 30), 3, 1, 1, 1),
        Geometries.Of(16, 24, 2, 3, 1, 1, 1),
        Geometries.Of(19, 16, 2, 3, 1, 1, 1),
        Geometries.Of(16, 17, new Size(5, 4), 5, 1, 2, 1),
        Geometries.Of(18, 16, new Size(6, 7), 5, 1, new Size(0, 4), 1),
    ];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Direct_convolutions_have_the_engines_bits(int seed) => AssertSame(Geometries.Direct, seed);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Depthwise_convolutions_have_the_engines_bits(int seed) => AssertSame(Geometries.Depthwise, seed);

    [Theory]
    [MemberData(nameof(WinogradCases))]
    public void Winograd_convolutions_have_the_engines_bits(int index)
    {
        Assert.NotNull(WinogradConvolution.TileFor(Winograd[index]));
        AssertSame(_ => Winograd[index], index);
    }

    /// <summary>Images of several runs, and shards of several samples.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Gradients_over_many_runs_have_the_engines_bits(int groups)
    {
        ConvolutionGeometry geometry = Geometries.Of(3, 3, new Size(18, 17), 2, 1, new Size(1, 0), 1, groups);
        Convolution layer = Geometries.Layer(geometry, bias: true);
        new LayerBits(emulated.Device, 7).AssertSame(
            layer, new DeviceConvolution(emulated.Device, layer), new ShardPlan(new ShardTree(7, 2), 0, 2));
    }

    /// <summary>Tiles, runs and shards that go through memory in several parts, with products of both forms.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(5, false)]
    [InlineData(8, false)]
    [InlineData(5, true)]
    public void Winograd_convolutions_in_little_memory(int index, bool inGroups)
    {
        ConvolutionGeometry geometry = Winograd[index];
        Convolution layer = Geometries.Layer(geometry, bias: true);
        var products = new Products(emulated.Device, inGroups, manyGroups: 0);
        var algorithm = new WinogradAlgorithm(geometry, WinogradConvolution.TileFor(geometry)!.Value, products, maxPoints: 20_000);
        new LayerBits(emulated.Device, 3).AssertSame(
            layer, new DeviceConvolution(emulated.Device, layer, algorithm), new ShardPlan(new ShardTree(11, 3), 0, 2));
    }

    /// <summary>Products below the smallest float: the order of a sum and the sign of its zeros show.</summary>
    [Fact]
    public void Convolutions_of_subnormal_values()
    {
        foreach (ConvolutionGeometry geometry in new[] { Winograd[0], Winograd[7], Winograd[8], Geometries.Direct(new Random(1)) })
        {
            AssertSame(_ => geometry, 1, extreme: true);
        }
    }

    /// <summary>Products by groups of threads, which emulated devices do without unless they are told.</summary>
    [Theory]
    [MemberData(nameof(GroupCases))]
    public void Convolutions_in_groups(int index)
    {
        ConvolutionGeometry geometry = InGroups[index];
        Convolution layer = Geometries.Layer(geometry, bias: index % 2 == 0);
        var algorithm = ConvolutionAlgorithm.For(geometry, new Products(emulated.Device, inGroups: true, manyGroups: index % 2 == 0 ? 0 : int.MaxValue));
        new LayerBits(emulated.Device, index).AssertSame(
            layer, new DeviceConvolution(emulated.Device, layer, algorithm), Geometries.Plan(new Random(index), 5));
    }

    private void AssertSame(Func<Random, ConvolutionGeometry> geometryOf, int seed, bool extreme = false)
    {
        var random = new Random(seed);
        ConvolutionGeometry geometry = geometryOf(random);
        Convolution layer = Geometries.Layer(geometry, bias: seed % 2 == 0);
        new LayerBits(emulated.Device, seed) { Extreme = extreme }.AssertSame(
            layer, new DeviceConvolution(emulated.Device, layer), Geometries.Plan(random, 7));
    }
}
