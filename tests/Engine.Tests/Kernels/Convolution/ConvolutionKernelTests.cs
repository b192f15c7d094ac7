using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Tests.Threads;
using ConvNet.Engine.Threads;
using CsCheck;
using Size = ConvNet.Engine.Geometry.Size;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels.Convolution;

public sealed class ConvolutionKernelTests
{
    private const double Tolerance = 1e-5;

    /// <summary>Winograd's points multiply rounding errors.</summary>
    private const double WinogradTolerance = 5e-5;

    public static TheoryData<string, int> Geometries
    {
        get
        {
            var data = new TheoryData<string, int>();
            for (int i = 0; i < Cases.Length; i++)
            {
                ConvolutionGeometry g = Cases[i];
                data.Add($"{g.Input}->{g.Output} kernel {g.Kernel} stride {g.Stride} padding {g.Padding} dilation {g.Dilation} groups {g.Groups}", i);
            }

            return data;
        }
    }

    private static ConvolutionGeometry[] Cases { get; } = [.. AllCases()];

    [Theory]
    [MemberData(nameof(Geometries))]
    public void All_three_phases_agree_with_the_definition(string geometry, int index)
    {
        Assert.NotEmpty(geometry);
        using var team = new ThreadTeam(2);
        using var test = new ConvolutionCase(Cases[index], samples: index % 3 == 0 ? 1 : 5);
        test.Run(team);
        CheckAgainstTheDefinition(test, Tolerance);
    }

    /// <summary>Images from one pixel on, strides that leave borders out, kernels that reach far into the padding, groups of any width.</summary>
    [Fact]
    public void Direct_convolution_agrees_with_the_definition_for_random_shapes()
    {
        Gen<Size> image = Gen.Select(Gen.Int[1, 19], Gen.Int[1, 19], (h, w) => new Size(h, w));
        Gen<Size> upTo5 = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], (h, w) => new Size(h, w));
        Gen<Size> upTo3 = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], (h, w) => new Size(h, w));
        Gen<(int Groups, int C, int K, int Samples)> counts = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 20], Gen.Int[1, 35], Gen.Int[1, 9]);
        Gen<(Size Kernel, Size Stride, Size Padding, Size Dilation)> windows = Gen.Select(upTo5, upTo3, upTo3, upTo3);
        Gen.Select(image, counts, windows, (i, n, w) => (n.Samples, Geometry: ConvolutionCase.Geometry2(
                n.Groups * n.C, n.Groups * n.K, i, w.Kernel, w.Stride, new Size(w.Padding.H - 1, w.Padding.W - 1), w.Dilation, n.Groups)))
            .Where(s => Math.Min(s.Geometry.Output.H, s.Geometry.Output.W) > 0)
            .Where(s => WinogradConvolution.For<Floats8>(s.Geometry) is null && !DepthwiseConvolution.Fits(s.Geometry))
            .Sample(
                s =>
                {
                    using var team = new ThreadTeam(2);
                    using var test = new ConvolutionCase(s.Geometry, s.Samples);
                    Assert.True(IsDirect(test.Convolution));
                    test.Run(team);
                    CheckAgainstTheDefinition(test, Tolerance);
                },
                iter: 60,
                threads: 1);
    }

    /// <summary>Channels that don't fill a block, images larger than a run of pixels, kernels of one tap and of many.</summary>
    [Fact]
    public void Depthwise_convolution_agrees_with_the_definition_for_random_shapes()
    {
        Gen<Size> image = Gen.Select(Gen.Int[1, 23], Gen.Int[1, 23], (h, w) => new Size(h, w));
        Gen<Size> upTo5 = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], (h, w) => new Size(h, w));
        Gen<Size> upTo3 = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], (h, w) => new Size(h, w));
        Gen.Select(image, upTo5, upTo3, upTo3, upTo3, Gen.Int[2, 35], Gen.Int[1, 9], (i, kernel, stride, padding, dilation, c, samples) =>
                (Samples: samples, Geometry: ConvolutionCase.Geometry2(
                    c, c, i, kernel, stride, new Size(padding.H - 1, padding.W - 1), dilation, c)))
            .Where(s => Math.Min(s.Geometry.Output.H, s.Geometry.Output.W) > 0)
            .Sample(
                s =>
                {
                    using var team = new ThreadTeam(2);
                    using var test = new ConvolutionCase(s.Geometry, s.Samples);
                    Assert.IsType<DepthwiseConvolution>(test.Convolution);
                    test.Run(team);
                    CheckAgainstTheDefinition(test, Tolerance);
                },
                iter: 60,
                threads: 1);
    }

    /// <summary>A shard of more pixels than a run of a weight gradient: many samples of few pixels.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Shards_of_many_small_samples_agree_with_the_definition(int side)
    {
        using var team = new ThreadTeam(2);
        using var test = new ConvolutionCase(ConvolutionCase.Square(11, 9, side, side, padding: side / 2), samples: 700);
        test.Run(team);
        CheckAgainstTheDefinition(test, Tolerance);
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(24, 1)]
    [InlineData(24, 2)]
    public void Every_phase_uses_the_weights_that_were_loaded_last(int channels, int stride)
    {
        using var team = new ThreadTeam(2);
        using var test = new ConvolutionCase(ConvolutionCase.Square(channels, 20, 7, 3, stride, 1), samples: 2);
        test.Run(team);
        for (int i = 0; i < test.Weights.Length; i++)
        {
            test.Weights[i] = 0.5f - test.Weights[i];
        }

        test.Run(team);
        CheckAgainstTheDefinition(test, WinogradTolerance);
    }

    /// <summary>Any size of image from one partial tile on, any padding, channels that don't fill blocks or panels.</summary>
    [Fact]
    public void Winograd_agrees_with_the_definition_for_random_shapes()
    {
        Gen<(int C, int K, int H, int W, int Kernel, int Padding, int Samples)> shapes = Gen.Select(
            Gen.Int[16, 40], Gen.Int[16, 40], Gen.Int[2, 13], Gen.Int[2, 13], Gen.Int[0, 2].Select(i => i == 0 ? 5 : 3), Gen.Int[0, 4], Gen.Int[1, 5]);
        shapes.Where(s => s.Padding < s.Kernel && Math.Min(s.H, s.W) + 2 * s.Padding - s.Kernel + 1 >= 2).Sample(
            s =>
            {
                using var team = new ThreadTeam(2);
                using var test = new ConvolutionCase(
                    ConvolutionCase.Geometry2(s.C, s.K, new Size(s.H, s.W), s.Kernel, 1, s.Padding, 1), s.Samples);
                Assert.False(IsDirect(test.Convolution));
                test.Run(team);
                CheckAgainstTheDefinition(test, WinogradTolerance);
            },
            iter: 40,
            threads: 1);
    }

    /// <summary>Filters too large for a thread's cache, whose chunks all threads share, and enough channels for many groups of gradients.</summary>
    [Theory]
    [InlineData(136, 150, 2)]
    [InlineData(130, 140, 4)]
    [InlineData(72, 264, 6)]
    public void Winograd_agrees_with_the_definition_for_many_channels(int c, int k, int side)
    {
        using var team = new ThreadTeam(2);
        using var test = new ConvolutionCase(ConvolutionCase.Square(c, k, side, 3, padding: 1), samples: 3);
        test.Run(team);
        CheckAgainstTheDefinition(test, WinogradTolerance);
    }

    [Fact]
    public void Sums_over_many_channels_and_pixels_stay_accurate()
    {
        using var team = new ThreadTeam(2);
        using var test = new ConvolutionCase(ConvolutionCase.Square(64, 128, 28, 3, padding: 1), samples: 16);
        test.Run(team);
        CheckSomeAgainstTheDefinition(test);
    }

    private static IEnumerable<ConvolutionGeometry> AllCases()
    {
        foreach (int kernel in new[] { 1, 3, 5, 7 })
        {
            foreach (int stride in new[] { 1, 2, 3 })
            {
                foreach ((int c, int k) in new[] { (1, 8), (3, 17), (8, 24), (17, 3), (16, 32) })
                {
                    int dilation = (kernel + stride + c) % 3 == 0 && kernel <= 3 ? 2 : 1;
                    yield return ConvolutionCase.Square(c, k, 11 + (c + stride) % 3, kernel, stride, (kernel + k) % (kernel / 2 + 1), dilation);
                }
            }
        }

        foreach (int groups in new[] { 2, 4, 8, 16 })
        {
            yield return ConvolutionCase.Square(16, 16, 7, 3, 1, 1, 1, groups);
            yield return ConvolutionCase.Square(16, 48, 8, 3, 2, 1, 1, groups);
            yield return ConvolutionCase.Square(32, 16, 9, 1, 2, 0, 1, groups);
        }

        yield return ConvolutionCase.Square(6, 6, 9, 3, 1, 1, 1, 6);
        yield return ConvolutionCase.Square(17, 17, 9, 5, 2, 2, 1, 17);
        yield return ConvolutionCase.Square(24, 40, 3, 3, 1, 1);
        yield return ConvolutionCase.Square(40, 24, 2, 3, 1, 1);
        yield return ConvolutionCase.Square(20, 24, 1, 3, 1, 1);
        yield return ConvolutionCase.Square(4, 4, 17, 3, 1, 1);
        yield return ConvolutionCase.Square(2, 20, 34, 3, 1, 1);
        yield return ConvolutionCase.Square(8, 8, 5, 1, 1, 2);
        yield return ConvolutionCase.Square(8, 8, 6, 2, 5, 0);
        yield return ConvolutionCase.Square(8, 8, 2, 1, 4, 0);
        yield return ConvolutionCase.Geometry2(3, 9, new Size(5, 9), new Size(1, 3), new Size(1, 2), new Size(0, 1), new Size(1, 1));
        yield return ConvolutionCase.Geometry2(9, 3, new Size(9, 5), new Size(4, 2), new Size(2, 3), new Size(3, 1), new Size(2, 1));
        yield return ConvolutionCase.Geometry2(9, 10, new Size(12, 5), new Size(3, 3), new Size(3, 1), new Size(2, 2), new Size(3, 2));
        foreach ((int inputs, int outputs) in new[] { (1, 1), (7, 10), (120, 84), (400, 10), (1568, 33) })
        {
            yield return ConvolutionGeometry.FullyConnected(inputs, outputs);
        }
    }

    private static bool IsDirect(ConvolutionKernel kernel) => kernel is DirectConvolution<Floats8> or DirectConvolution<Floats16>;

    private static void CheckAgainstTheDefinition(ConvolutionCase test, double tolerance)
    {
        ConvolutionGeometry g = test.Geometry;
        double[] x = [.. Nchw.Read(test.X, test.Samples)];
        double[] dy = [.. Nchw.Read(test.DY, test.Samples)];
        var y = new double[dy.Length];
        var dx = new double[x.Length];
        var dWeight = new double[g.WeightCount];
        var dBias = new double[g.Output.C];
        for (int i = 0; i < y.Length; i++)
        {
            int k = i / g.Output.Area % g.Output.C;
            y[i] = test.Bias[k];
            dBias[k] += dy[i];
        }

        var oracle = new ConvolutionOracle(g);
        for (int n = 0; n < test.Samples; n++)
        {
            oracle.Products(n, (iy, ix, iw) =>
            {
                y[iy] += x[ix] * test.Weights[iw];
                dx[ix] += dy[iy] * test.Weights[iw];
                dWeight[iw] += dy[iy] * x[ix];
            });
        }

        Assert.InRange(ConvolutionOracle.Error(y, Nchw.Read(test.Y, test.Samples)), 0, tolerance);
        Assert.InRange(ConvolutionOracle.Error(dx, Nchw.Read(test.DX, test.Samples)), 0, tolerance);
        Assert.InRange(ConvolutionOracle.Error(dWeight, test.DWeight[0]), 0, tolerance);
        Assert.InRange(ConvolutionOracle.Error(dBias, test.DBias[0]), 0, tolerance);
        Assert.True(Nchw.PaddingIsZero(test.Y, test.Samples));
        Assert.True(Nchw.PaddingIsZero(test.DX, test.Samples));
    }

    /// <summary>The same for a large case, at values picked by a stride that is prime to all sides.</summary>
    private static void CheckSomeAgainstTheDefinition(ConvolutionCase test)
    {
        ConvolutionGeometry g = test.Geometry;
        double[] x = [.. Nchw.Read(test.X, test.Samples)];
        double[] dy = [.. Nchw.Read(test.DY, test.Samples)];
        var y = new double[dy.Length];
        var dx = new double[x.Length];
        var dWeight = new double[g.WeightCount];
        const int Every = 5099;
        var oracle = new ConvolutionOracle(g);
        for (int n = 0; n < test.Samples; n++)
        {
            oracle.Products(n, (iy, ix, iw) =>
            {
                if (iy % Every == 0)
                {
                    y[iy] += x[ix] * test.Weights[iw];
                }

                if (ix % Every == 0)
                {
                    dx[ix] += dy[iy] * test.Weights[iw];
                }

                if (iw % Every == 0)
                {
                    dWeight[iw] += dy[iy] * x[ix];
                }
            });
        }

        for (int i = 0; i < y.Length; i += Every)
        {
            y[i] += test.Bias[i / g.Output.Area % g.Output.C];
        }

        Assert.InRange(ConvolutionOracle.Error(Pick(y), Pick(Nchw.Read(test.Y, test.Samples))), 0, WinogradTolerance);
        Assert.InRange(ConvolutionOracle.Error(Pick(dx), Pick(Nchw.Read(test.DX, test.Samples))), 0, WinogradTolerance);
        Assert.InRange(ConvolutionOracle.Error(Pick(dWeight), Pick(test.DWeight[0])), 0, WinogradTolerance);

        static T[] Pick<T>(T[] values) => [.. values.Where((_, i) => i % Every == 0)];
    }
}
