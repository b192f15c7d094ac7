using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Gpu.Layers;
using Xunit;

namespace ConvNet.Gpu.Tests.Convolutions;

public sealed class LocallyConnectedBitTests(EmulatedDevice emulated) : IClassFixture<EmulatedDevice>
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Locally_connected_layers_have_the_processors_bits(int seed)
    {
        var random = new Random(seed);
        ConvolutionGeometry geometry = Geometries.Direct(random) with { Groups = 1 };
        var layer = new LocallyConnected("0", 0, geometry, bias: seed % 2 == 0);
        new LayerBits(emulated.Device, seed).AssertSame(layer, new DeviceLocallyConnected(emulated.Device, layer), Geometries.Plan(random, 9));
    }
}
