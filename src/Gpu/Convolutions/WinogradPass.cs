using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Kernels.Winograd;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>
/// Forward or backward data by Winograd's algorithm: tiles to points, at each point a matrix product of its own, and points to pixels. A tile's result
/// doesn't depend on its neighbours, so that as many tiles go through all three as memory has room for.
/// </summary>
internal sealed class WinogradPass : IDisposable
{
    private readonly WinogradMaps _maps;
    private readonly Products _products;
    private readonly Tiling _tiling;
    private readonly Shape _destination;
    private readonly int _maxTiles;
    private readonly SingleTap _tap;

    /// <param name="tiling">Of the source.</param>
    /// <param name="maxPoints">Floats of points of either operand.</param>
    public WinogradPass(WinogradMaps maps, Products products, Tiling tiling, Shape destination, long maxPoints)
    {
        (_maps, _products, _tiling, _destination) = (maps, products, tiling, destination);
        _maxTiles = WinogradTiles.Most(tiling, destination, maps.Points, maxPoints);
        _tap = new SingleTap(products.Device);
    }

    /// <param name="filterPoints">As the maps leave them, in the steps of <paramref name="filters"/>.</param>
    /// <param name="bias">One for each lane of the destination's channels, or of length 1 for none.</param>
    public void Run(
        DeviceTensor from, DeviceTensor to, ArrayView<Float32> filterPoints, FilterGrid filters, ArrayView<Float32> bias, int samples)
    {
        int tiles = checked(samples * _tiling.Count);
        for (int first = 0; first < tiles; first += _maxTiles)
        {
            int count = Math.Min(_maxTiles, tiles - first);
            TileGrid source = WinogradTiles.Of(_tiling, _tiling.Image, first, count);
            TileGrid destination = WinogradTiles.Of(_tiling with { Top = 0, Left = 0 }, _destination, first, count);
            KernelDevice device = _products.Device;
            ArrayView<Float32> points = device.Scratch(1, (long)_maps.Points * source.PointStep);
            ArrayView<Float32> products = device.Scratch(2, (long)_maps.Points * destination.PointStep);
            device.Run(_maps.Input, source.PointStep, from.View, points, source);
            _products.Gather(points, filterPoints, filterPoints.SubView(0, 1), _tap.View, products, Grid(source, destination, filters));
            device.Run(_maps.Output, destination.PointStep, products, to.View, bias, destination);
        }
    }

    public void Dispose() => _tap.Dispose();

    /// <summary>Each point is a 1×1 convolution whose pixels are the tiles; lanes that fill up the last block are summed as well, as in the engine.</summary>
    private GatherGrid Grid(TileGrid source, TileGrid destination, FilterGrid filters) => new()
    {
        Samples = 1,
        Height = 1,
        Width = source.Count,
        SourceHeight = 1,
        SourceWidth = source.Count,
        StepY = 1,
        StepX = 1,
        TapCount = 1,
        DestinationArea = source.Count,
        DestinationWidth = source.Count,
        PixelStepY = 1,
        PixelStepX = 1,
        Channels = filters.PaddedInputs,
        Filters = filters.PaddedOutputs,
        Batches = _maps.Points,
        SourceStep = source.PointStep,
        DestinationStep = destination.PointStep,
        WeightStep = filters.PointStep,
        WeightLine = filters.PaddedOutputs,
    };
}
