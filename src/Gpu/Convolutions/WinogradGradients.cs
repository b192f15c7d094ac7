using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Kernels.Winograd;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>
/// The gradients of the weights by Winograd's algorithm: x and dy go to points, each point sums the products of its tiles over a shard in the runs of
/// the engine's chunks, and the sums go to taps. It takes as many shards at a time as memory has room for; of a shard that is too large, some
/// runs after the other.
/// </summary>
internal sealed class WinogradGradients : IDisposable
{
    private readonly WinogradMaps _maps;
    private readonly Products _products;
    private readonly Tiling _tiling;
    private readonly Shape _output;
    private readonly FilterGrid _filters;
    private readonly long _maxPoints;
    private readonly int _maxTiles;
    private readonly RunTable _runs;
    private readonly SingleTap _tap;

    /// <param name="tiling">Of the input.</param>
    /// <param name="filters">From inputs to outputs.</param>
    /// <param name="maxPoints">Floats of points of x, of dy and of sums.</param>
    public WinogradGradients(WinogradMaps maps, Products products, Tiling tiling, Shape output, FilterGrid filters, long maxPoints)
    {
        (_maps, _products, _tiling, _output, _filters, _maxPoints) = (maps, products, tiling, output, filters, maxPoints);
        _maxTiles = WinogradTiles.Most(tiling, output, maps.Points, maxPoints);
        _runs = new RunTable(products.Device, tiling.Count, int.MaxValue, tiling.GradientRows * tiling.Columns);
        _tap = new SingleTap(products.Device);
    }

    /// <param name="leaves">For each shard of the plan (K, C, R, S), overwritten.</param>
    public void Run(DeviceTensor x, DeviceTensor dy, ShardPlan plan, ArrayView<Float32> leaves)
    {
        _runs.Load(plan);
        int shards;
        for (int first = 0; first < plan.Shards.Length; first += shards)
        {
            shards = ShardsFrom(first);
            ArrayView<Float32> sums = _products.Device.Scratch(0, (long)shards * _maps.Points * _filters.PointStep);
            int endRun;
            for (int run = _runs.FirstRuns[first]; run < _runs.FirstRuns[first + shards]; run = endRun)
            {
                endRun = EndOfRuns(run, _runs.FirstRuns[first + shards]);
                AddRuns(x, dy, run, endRun, sums, first, shards);
            }

            _products.Device.Run(_maps.Taps, checked(shards * _filters.PointStep), sums, leaves, _filters, first);
        }
    }

    public void Dispose()
    {
        _runs.Dispose();
        _tap.Dispose();
    }

    /// <summary>How many shards there is room for, one at least.</summary>
    private int ShardsFrom(int first)
    {
        int most = (int)Math.Max(1, _maxPoints / ((long)_maps.Points * _filters.PointStep));
        int end = first + 1;
        while (end < _runs.FirstRuns.Count - 1 && end - first < most
            && _runs.FirstUnits[_runs.FirstRuns[end + 1]] - _runs.FirstUnits[_runs.FirstRuns[first]] <= _maxTiles)
        {
            end++;
        }

        return end - first;
    }

    /// <summary>How far runs from this one on find room, one at least.</summary>
    private int EndOfRuns(int run, int end)
    {
        int last = run + 1;
        while (last < end && _runs.FirstUnits[last + 1] - _runs.FirstUnits[run] <= _maxTiles)
        {
            last++;
        }

        return last;
    }

    private void AddRuns(DeviceTensor x, DeviceTensor dy, int run, int endRun, ArrayView<Float32> sums, int firstShard, int shards)
    {
        int first = _runs.FirstUnits[run];
        int count = _runs.FirstUnits[endRun] - first;
        TileGrid source = WinogradTiles.Of(_tiling, _tiling.Image, first, count);
        TileGrid gradient = WinogradTiles.Of(_tiling with { Top = 0, Left = 0 }, _output, first, count);
        KernelDevice device = _products.Device;
        ArrayView<Float32> sourcePoints = device.Scratch(1, (long)_maps.Points * source.PointStep);
        ArrayView<Float32> gradientPoints = device.Scratch(2, (long)_maps.Points * gradient.PointStep);
        device.Run(_maps.Input, source.PointStep, x.View, sourcePoints, source);
        device.Run(_maps.Gradient, gradient.PointStep, dy.View, gradientPoints, gradient);
        var grid = new GradientGrid
        {
            Height = 1,
            Width = count,
            SourceHeight = 1,
            SourceWidth = count,
            StepY = 1,
            StepX = 1,
            TapCount = 1,
            Channels = _filters.Inputs,
            Filters = _filters.Outputs,
            Batches = _maps.Points,
            SourceStep = source.PointStep,
            GradientStep = gradient.PointStep,
            SumStep = _filters.PointStep,
            ShardStep = _maps.Points * _filters.PointStep,
            SumOfFilter = 1,
            SumOfChannel = _filters.PaddedOutputs,
            FirstShard = firstShard,
            Shards = shards,
            FirstRun = run,
            EndRun = endRun,
            FirstUnit = first,
        };
        _products.AddGradients(sourcePoints, gradientPoints, sums, _tap.View, _runs, grid);
    }
}
