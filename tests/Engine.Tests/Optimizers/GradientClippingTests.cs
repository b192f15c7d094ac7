using ConvNet.Engine.Optimizers;
using Xunit;

namespace ConvNet.Engine.Tests.Optimizers;

public class GradientClippingTests
{
    [Fact]
    public void Small_norms_are_kept_and_large_ones_scaled()
    {
        Assert.Equal(1, GradientClipping.Factor(0.5, 1));
        Assert.Equal(2 / (8 + 1e-6), GradientClipping.Factor(8, 2));
        Assert.Equal(1, GradientClipping.Factor(1e9, null));
    }
}
