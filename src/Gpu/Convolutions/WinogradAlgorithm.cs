using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Kernels.Convolution.Winograd;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Winograd;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>Convolution with stride 1 by Winograd's algorithm: the mirror of the engine's WinogradConvolution.</summary>
internal sealed class WinogradAlgorithm : ConvolutionAlgorithm
{
    /// <summary>Floats of points of one operand at a time: 256 MiB.</summary>
    private const long MaxPoints = 1 << 26;

    private readonly Products _products;
    private readonly WinogradMaps _maps;
    private readonly FilterGrid _forwardFilters;
    private readonly FilterGrid _backwardFilters;
    private readonly WinogradPass _forward;
    private readonly WinogradPass _backward;
    private readonly WinogradGradients _gradients;
    private readonly DeviceBuffer<Float32> _filterPoints;
    private ArrayView<Float32> _weights;

    /// <param name="maxPoints">Bounds the memory.</param>
    public WinogradAlgorithm(ConvolutionGeometry geometry, WinogradTile tile, Products products, long maxPoints = MaxPoints)
    {
        _products = products;
        _maps = WinogradMaps.For(tile);
        Shape input = geometry.Input;
        Shape output = geometry.Output;

        // Tiles of two inputs lie between zeros that nobody reads.
        bool two = tile == WinogradTile.Two;
        Size padding = two ? 0 : geometry.Padding;
        Size backPadding = two ? 0 : new Size(geometry.Kernel.H - 1 - padding.H, geometry.Kernel.W - 1 - padding.W);
        _forwardFilters = new FilterGrid(input.C, output.C, geometry.Taps, geometry.FilterCount, Rotated: 0);
        _backwardFilters = new FilterGrid(output.C, input.C, geometry.FilterCount, geometry.Taps, Rotated: 1);
        _forward = new WinogradPass(_maps, products, Tiling.Of(_maps.Inputs, _maps.Outputs, padding, input, output), output, maxPoints);
        _backward = new WinogradPass(_maps, products, Tiling.Of(_maps.Inputs, _maps.Outputs, backPadding, output, input), input, maxPoints);
        _gradients = new WinogradGradients(
            _maps, products, Tiling.Of(_maps.Inputs, _maps.Outputs, padding, input, output), output, _forwardFilters, maxPoints);
        _filterPoints = new DeviceBuffer<Float32>(products.Device, "weights");
        BiasRuns = new GradientRuns(1, output.Area);
    }

    /// <summary>A sample at a time.</summary>
    public override GradientRuns BiasRuns { get; }

    public override void Load(ArrayView<Float32> weights)
    {
        _weights = weights;
        _products.Device.Run(
            _maps.Filter, _forwardFilters.PointStep, weights, _filterPoints.Reserve(Length(_forwardFilters)).View, _forwardFilters);
    }

    public override void Forward(DeviceTensor x, DeviceTensor y, ArrayView<Float32> bias, int samples) =>
        _forward.Run(x, y, _filterPoints.View, _forwardFilters, bias, samples);

    /// <summary>The filters' points are made anew for each pass, in memory that all layers share.</summary>
    public override void BackwardData(DeviceTensor dy, DeviceTensor dx, int samples)
    {
        ArrayView<Float32> points = _products.Device.Scratch(0, Length(_backwardFilters));
        _products.Device.Run(_maps.Filter, _backwardFilters.PointStep, _weights, points, _backwardFilters);
        _backward.Run(dy, dx, points, _backwardFilters, points.SubView(0, 1), samples);
    }

    public override void BackwardWeights(DeviceTensor x, DeviceTensor dy, ShardPlan plan, ArrayView<Float32> leaves) =>
        _gradients.Run(x, dy, plan, leaves);

    public override void Dispose()
    {
        _forward.Dispose();
        _backward.Dispose();
        _gradients.Dispose();
        _filterPoints.Dispose();
    }

    private long Length(FilterGrid filters) => (long)_maps.Points * filters.PointStep;
}
