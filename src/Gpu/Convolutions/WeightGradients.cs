using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>The gradients of the weights of a direct convolution.</summary>
internal sealed class WeightGradients : IDisposable
{
    /// <summary>Weights of all shards of one launch, which counts them by an int.</summary>
    private const int MaxWeights = 1 << 28;

    private readonly Products _products;
    private readonly RunTable _runs;
    private readonly GradientGrid _grid;

    public WeightGradients(ConvolutionGeometry geometry, Products products, GradientRuns runs)
    {
        _products = products;
        _runs = new RunTable(products.Device, geometry.Output.Area, runs.Samples, runs.Pixels);
        _grid = Grid(geometry);
    }

    /// <param name="leaves">For each shard of the plan (K, C/groups, R, S), overwritten.</param>
    public void Run(DeviceTensor x, DeviceTensor dy, ArrayView<int> taps, ShardPlan plan, ArrayView<Float32> leaves)
    {
        _runs.Load(plan);
        int most = Math.Max(1, MaxWeights / _grid.ShardStep);
        for (int first = 0; first < plan.Shards.Length; first += most)
        {
            GradientGrid grid = _grid with
            {
                FirstShard = first, Shards = Math.Min(most, plan.Shards.Length - first), EndRun = _runs.Count,
            };
            ArrayView<Float32> sums = leaves.SubView((long)first * _grid.ShardStep, (long)grid.Shards * _grid.ShardStep);
            _products.AddGradients(x.View, dy.View, sums, taps, _runs, grid);
        }
    }

    public void Dispose() => _runs.Dispose();

    /// <summary>The sums are leaves of all weights; runs and shards are to be filled in.</summary>
    public static GradientGrid Grid(ConvolutionGeometry g) => new()
    {
        Height = g.Output.H, Width = g.Output.W,
        SourceHeight = g.Input.H, SourceWidth = g.Input.W,
        SourceStride = g.Input.Blocks * g.Input.Area * 8, GradientStride = g.Output.Blocks * g.Output.Area * 8,
        BaseY = -g.Padding.H, BaseX = -g.Padding.W, StepY = g.Stride.H, StepX = g.Stride.W, TapCount = g.Taps,
        Channels = g.ChannelsPerGroup, Filters = g.FiltersPerGroup,
        Batches = g.Groups, ChannelStep = g.ChannelsPerGroup, FilterStep = g.FiltersPerGroup,
        SumStep = g.FiltersPerGroup * g.FilterCount,
        ShardStep = g.WeightCount, SumOfFilter = g.FilterCount, SumOfChannel = g.Taps, SumOfTap = 1,
        AddsToZero = 1,
    };
}
