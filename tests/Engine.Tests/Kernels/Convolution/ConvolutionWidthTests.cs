using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Kernels.Convolution;

/// <summary>A sum's order doesn't depend on the width of the vectors: the wide kernels give the bits of the narrow ones in all three phases.</summary>
public sealed class ConvolutionWidthTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Geometries.Length)];

    private static ConvolutionGeometry[] Geometries { get; } =
    [
        .. ConvolutionDeterminismTests.Geometries,

        // Direct, with 1 … 9 blocks of outputs: each way in which a panel may end, and tiles of 12 pixels and of 6.
        .. Enumerable.Range(0, 9).Select(i => ConvolutionCase.Square(9 + i, 8 * i + 1 + i % 8, 5 + i % 4, 3, 2, 1)),
        ConvolutionCase.Square(16, 96, 7, 1, 2),
        ConvolutionCase.Square(3, 64, 11, 7, 2, 3),
        ConvolutionCase.Square(64, 80, 6, 3, 1, 2, 2),
        ConvolutionCase.Square(96, 160, 6, 3, 2, 1, 1, 2),
        ConvolutionCase.Square(20, 60, 6, 3, 1, 1, 1, 4),
        ConvolutionCase.Square(40, 40, 9, 5, 2, 2, 1, 40),
        ConvolutionCase.Geometry2(9, 33, new Size(9, 5), new Size(4, 2), new Size(2, 3), new Size(3, 1), new Size(2, 1)),
        ConvolutionGeometry.FullyConnected(392, 70),

        // Winograd: of 2 … 10 blocks on either side, images of 2×2 and those that end within a tile.
        .. Enumerable.Range(2, 9).Select(i => ConvolutionCase.Square(8 * i - i % 2, 8 * (12 - i) - i % 3, 2 + i, 3, 1, i % 3)),
        .. Enumerable.Range(2, 4).Select(i => ConvolutionCase.Square(8 * i, 16 * i - 8, 2, 3, 1, 1)),
        .. Enumerable.Range(2, 4).Select(i => ConvolutionCase.Square(16 * i - 8, 8 * i, 3 + 2 * i, 5, 1, i - 1)),
        ConvolutionCase.Square(200, 264, 2, 3, 1, 1),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Wide_kernels_give_the_bits_of_narrow_ones(int index)
    {
        ConvolutionGeometry geometry = Geometries[index];
        using var team = new ThreadTeam(2);
        using ConvolutionKernel narrow = ConvolutionKernel.For<Floats8>(geometry), wide = ConvolutionKernel.For<Floats16>(geometry);
        using var expected = new ConvolutionCase(geometry, 13, kernel: narrow);
        using var actual = new ConvolutionCase(geometry, 13, kernel: wide);
        expected.Run(team);
        actual.Run(team);
        ConvolutionDeterminismTests.AssertSameBits(expected.Y, 0, actual.Y, 0, 13);
        ConvolutionDeterminismTests.AssertSameBits(expected.DX, 0, actual.DX, 0, 13);
        ConvolutionDeterminismTests.AssertSameBits(expected.DWeight[0], actual.DWeight[0]);
        ConvolutionDeterminismTests.AssertSameBits(expected.DBias[0], actual.DBias[0]);
    }
}
