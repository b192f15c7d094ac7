using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.LocallyConnected;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Tests.Kernels.Convolution;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels.LocallyConnected;

public sealed class LocallyConnectedWidthTests
{
    private const int Samples = 5;

    /// <summary>Blocks in odd and even number on either side, the last one full or not, strides and padding.</summary>
    [Theory]
    [InlineData(3, 8, 1, 0)]
    [InlineData(8, 9, 1, 1)]
    [InlineData(17, 16, 2, 1)]
    [InlineData(24, 40, 2, 0)]
    [InlineData(33, 23, 1, 2)]
    public void Wide_kernels_give_the_bits_of_narrow_ones(int c, int k, int stride, int padding)
    {
        ConvolutionGeometry geometry = ConvolutionCase.Square(c, k, 5, 3, stride, padding);
        float[][] narrow = Run(new FastLocallyConnected<Floats8>(geometry), geometry);
        float[][] wide = Run(new FastLocallyConnected<Floats16>(geometry), geometry);
        foreach ((float[] expected, float[] actual) in narrow.Zip(wide))
        {
            Assert.Contains(expected, value => value != 0);
            ConvolutionDeterminismTests.AssertSameBits(expected, actual);
        }
    }

    /// <returns>y, dx, dWeight, dBias.</returns>
    private static float[][] Run(LocallyConnectedKernel kernel, ConvolutionGeometry geometry)
    {
        using var team = new ThreadTeam(2);
        using Activation x = Nchw.From(geometry.Input, ConvolutionOracle.Filled(Samples * geometry.Input.Count, 1));
        using Activation dy = Nchw.From(geometry.Output, ConvolutionOracle.Filled(Samples * geometry.Output.Count, 2));
        using Activation y = new(geometry.Output, Samples), dx = new(geometry.Input, Samples);
        int area = geometry.Output.Area;
        float[] dWeight = new float[geometry.WeightCount * area], dBias = new float[geometry.Output.C * area];
        var plan = new ShardPlan(new ShardTree(Samples, 2), 0, 2);
        kernel.Load(ConvolutionOracle.Filled(dWeight.Length, 3), ConvolutionOracle.Filled(dBias.Length, 4));
        kernel.Forward(x, y, Samples, team);
        kernel.BackwardData(dy, dx, Samples, team);
        kernel.BackwardWeights(x, dy, plan, _ => dWeight, team);
        kernel.BackwardBias(dy, plan, _ => dBias, team);
        return [All(y), All(dx), dWeight, dBias];
    }

    private static float[] All(Activation activation) => [.. Enumerable.Range(0, Samples).SelectMany(n => activation.SampleSpan(n).ToArray())];
}
