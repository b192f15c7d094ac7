using ConvNet.Engine.Layers;
using Xunit;

namespace ConvNet.Engine.Tests.Layers;

public class ReLUTests
{
    [Fact]
    public void No_NaN_passes_unseen()
    {
        var probe = new float[] { float.NaN, -1, 0, 2, float.NegativeInfinity, float.PositiveInfinity, -0f, 1e-40f };
        var y = new float[8];
        ReLU.Apply(probe, y);
        Assert.Equal([float.NaN, 0, 0, 2, 0, float.PositiveInfinity, 0, 1e-40f], y);
    }
}
