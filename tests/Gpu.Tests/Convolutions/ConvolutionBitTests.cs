using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Convolutions;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>Every convolution has the processor's bits on a device, in all phases.</summary>
public sealed class ConvolutionBitTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 12)];

    public static TheoryData<int> WinogradCases => [.. Enumerable.Range(0, Winograd.Length)];

    private static ConvolutionGeometry[] Winograd { get; } =
    [
        .. new[] { (16, 16, 5, 4), (17, 24, 4, 9), (24, 19, 2, 3), (16, 33, 7, 2) }.Select((c, i) =>
            Geometries.Of(c.Item1, c.Item2, new Size(c.Item3, c.Item4), 3, 1, 1 + i % 2, 1)),
        Geometries.Of(16, 17, new Size(4, 5), 3, 1, 0, 1),
        Geometries.Of(16, 18, new Size(13, 50), 3, 1, 1, 1),
        Geometries.Of(16, 24, 2, 3, 1, 1, 1),
        Geometries.Of(19, 16, 2, 3, 1, 1, 1),
        Geometries.Of(16, 17, new Size(5, 4), 5, 1, 2, 1),
        Geometries.Of(18, 16, new Size(6, 7), 5, 1, new Size(0, 4), 1),
    ];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Direct_convolutions(int seed) => AssertSame(Geometries.Direct, seed);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Depthwise_convolutions(int seed) => AssertSame(Geometries.Depthwise, seed);

    [Theory]
    [MemberData(nameof(WinogradCases))]
    public void Winograd_convolutions(int index)
    {
        Assert.NotNull(WinogradConvolution.TileFor(Winograd[index]));
        AssertSame(_ => Winograd[index], index);
    }

    /// <summary>Tiles, runs and shards that go through memory in several parts.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    public void Winograd_convolutions_in_little_memory(int index)
    {
        ConvolutionGeometry geometry = Winograd[index];
        Convolution layer = Geometries.Layer(geometry, bias: true);
        foreach (long maxPoints in new[] { 1L, 20_000 })
        {
            var algorithm = new WinogradAlgorithm(
                geometry, WinogradConvolution.TileFor(geometry)!.Value, Products.For(emulated.Device), maxPoints);
            new LayerBits(emulated.Device, 3).AssertSame(
                layer, new DeviceConvolution(emulated.Device, layer, algorithm), Geometries.Plan(new Random(5), 9));
        }
    }

    /// <summary>Sums that cancel, and products below the smallest float: the order of a sum and the sign of its zeros show.</summary>
    [Fact]
    public void Convolutions_of_subnormal_values()
    {
        foreach (ConvolutionGeometry geometry in new[] { Winograd[0], Winograd[7], Winograd[8], Geometries.Direct(new Random(1)) })
        {
            AssertSame(_ => geometry, 1, extreme: true);
        }
    }

    private void AssertSame(Func<Random, ConvolutionGeometry> geometryOf, int seed, bool extreme = false)
    {
        var random = new Random(seed);
        ConvolutionGeometry geometry = geometryOf(random);
        Convolution layer = Geometries.Layer(geometry, bias: seed % 2 == 0);
        new LayerBits(emulated.Device, seed) { Extreme = extreme }.AssertSame(
            layer, new DeviceConvolution(emulated.Device, layer), Geometries.Plan(random, 12));
    }
}
