using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Gpu.Kernels.Winograd;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

using Convert = Action<Index1D, ArrayView<Float32>, ArrayView<Float32>, TileGrid>;
using ConvertBack = Action<Index1D, ArrayView<Float32>, ArrayView<Float32>, ArrayView<Float32>, TileGrid>;
using ConvertFilter = Action<Index1D, ArrayView<Float32>, ArrayView<Float32>, FilterGrid>;
using ConvertSums = Action<Index1D, ArrayView<Float32>, ArrayView<Float32>, FilterGrid, int>;

/// <summary>The sizes of a kind of tile, and the kernels of its five maps.</summary>
/// <param name="Inputs">Pixels of a tile's side that are read.</param>
/// <param name="Outputs">Pixels of a tile's side that it makes.</param>
/// <param name="Side">Points of a tile's side.</param>
internal sealed record WinogradMaps(
    int Inputs, int Outputs, int Side, Convert Input, ConvertBack Output, ConvertFilter Filter, Convert Gradient, ConvertSums Taps)
{
    public int Points => Side * Side;

    public static WinogradMaps For(WinogradTile tile) => tile switch
    {
        WinogradTile.Four => new WinogradMaps(
            6, 4, 6, PointTransforms.InputOf4, PointTransforms.OutputOf4, FilterTransforms.FilterOf4, PointTransforms.GradientOf4,
            FilterTransforms.TapsOf4),
        WinogradTile.TwoOfFive => new WinogradMaps(
            6, 2, 6, PointTransforms.InputOf4, PointTransforms.OutputOf25, FilterTransforms.FilterOf25, PointTransforms.GradientOf25,
            FilterTransforms.TapsOf25),
        _ => new WinogradMaps(
            2, 2, 3, PointTransforms.InputOf2, PointTransforms.OutputOf2, FilterTransforms.FilterOf2, PointTransforms.GradientOf2,
            FilterTransforms.TapsOf2),
    };
}
