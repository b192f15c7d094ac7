using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>One filter for each channel: the mirror of the engine's <see cref="DepthwiseConvolution"/>.</summary>
internal sealed class DepthwiseAlgorithm(ConvolutionGeometry geometry, Products products) : ConvolutionAlgorithm
{
    private readonly DirectPhase _forward = DirectPhase.Forward(products.Device, geometry);
    private readonly DirectPhase[] _backward = DirectPhase.BackwardData(products.Device, geometry);
    private readonly PackedFilters _filters = PackedFilters.Forward(geometry);
    private readonly DeviceBuffer<Float32> _packed = new(products.Device, "weights");
    private readonly RunTable _runs = new(products.Device, geometry.Output.Area, GradientRuns.Depthwise.Samples, GradientRuns.Depthwise.Pixels);

    public override GradientRuns BiasRuns => GradientRuns.Depthwise;

    public override void Load(ArrayView<Float32> weights) =>
        _filters.Pack(products.Device, weights, _packed.Reserve(_filters.Length).View);

    public override void Forward(DeviceTensor x, DeviceTensor y, ArrayView<Float32> bias, int samples) => Run(_forward, x, y, bias, samples);

    public override void BackwardData(DeviceTensor dy, DeviceTensor dx, int samples)
    {
        foreach (DirectPhase phase in _backward)
        {
            Run(phase, dy, dx, _packed.View.SubView(0, 1), samples);
        }
    }

    public override void BackwardWeights(DeviceTensor x, DeviceTensor dy, ShardPlan plan, ArrayView<Float32> leaves)
    {
        _runs.Load(plan);
        int channels = geometry.Output.C;
        int length = checked(_runs.Count * geometry.Taps * _filters.Line);
        GradientGrid grid = WeightGradients.Grid(geometry) with { Channels = channels };
        ArrayView<Float32> sums = products.Device.Scratch(0, length);
        products.Device.Run(DepthwiseGradients.Runs, length, x.View, dy.View, sums, _forward.Taps, _runs.Runs, grid);
        int items = checked(plan.Shards.Length * channels * geometry.Taps);
        products.Device.Run(DepthwiseGradients.Leaves, items, sums, _runs.Shards, leaves, channels, geometry.Taps);
    }

    public override void Dispose()
    {
        _forward.Dispose();
        Array.ForEach(_backward, phase => phase.Dispose());
        _packed.Dispose();
        _runs.Dispose();
    }

    private void Run(DirectPhase phase, DeviceTensor source, DeviceTensor destination, ArrayView<Float32> bias, int samples)
    {
        GatherGrid grid = phase.Grid(samples) with { Filters = geometry.Output.C, WeightLine = _filters.Line };
        int items = checked(geometry.Output.Blocks * grid.Pixels * 8);
        products.Device.Run(DepthwiseProducts.Values, items, source.View, _packed.View, bias, phase.Taps, destination.View, grid);
    }
}
