using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Reduction;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Convolutions;

/// <summary>Direct convolution of any geometry: the mirror of the engine's <see cref="DirectConvolution{T}"/>.</summary>
internal sealed class DirectAlgorithm : ConvolutionAlgorithm
{
    private readonly ConvolutionGeometry _geometry;
    private readonly Products _products;
    private readonly DirectPhase _forward;
    private readonly DirectPhase[] _backward;
    private readonly PackedFilters _forwardFilters;
    private readonly PackedFilters _backwardFilters;
    private readonly DeviceBuffer<Float32> _packed;
    private readonly WeightGradients _gradients;
    private ArrayView<Float32> _weights;

    public DirectAlgorithm(ConvolutionGeometry geometry, Products products)
    {
        (_geometry, _products) = (geometry, products);
        _forward = DirectPhase.Forward(products.Device, geometry);
        _backward = DirectPhase.BackwardData(products.Device, geometry);
        _forwardFilters = PackedFilters.Forward(geometry);
        _backwardFilters = PackedFilters.BackwardData(geometry);
        _packed = new DeviceBuffer<Float32>(products.Device, "weights");
        BiasRuns = GradientRuns.Of(geometry.Output.Area);
        _gradients = new WeightGradients(geometry, products, BiasRuns);
    }

    public override GradientRuns BiasRuns { get; }

    public override void Load(ArrayView<Float32> weights)
    {
        _weights = weights;
        _forwardFilters.Pack(_products.Device, weights, _packed.Reserve(_forwardFilters.Length).View);
    }

    public override void Forward(DeviceTensor x, DeviceTensor y, ArrayView<Float32> bias, int samples) =>
        _products.Gather(x.View, _packed.View, bias, _forward.Taps, y.View, Grid(_forward, _forwardFilters, samples));

    public override void BackwardData(DeviceTensor dy, DeviceTensor dx, int samples)
    {
        ArrayView<Float32> packed = _products.Device.Scratch(0, _backwardFilters.Length);
        _backwardFilters.Pack(_products.Device, _weights, packed);
        foreach (DirectPhase phase in _backward)
        {
            _products.Gather(dy.View, packed, packed.SubView(0, 1), phase.Taps, dx.View, Grid(phase, _backwardFilters, samples));
        }
    }

    public override void BackwardWeights(DeviceTensor x, DeviceTensor dy, ShardPlan plan, ArrayView<Float32> leaves) =>
        _gradients.Run(x, dy, _forward.Taps, plan, leaves);

    public override void Dispose()
    {
        _forward.Dispose();
        Array.ForEach(_backward, phase => phase.Dispose());
        _packed.Dispose();
        _gradients.Dispose();
    }

    private GatherGrid Grid(DirectPhase phase, PackedFilters filters, int samples) => phase.Grid(samples) with
    {
        Channels = filters.Channels, Filters = filters.OutputsPerGroup,
        Batches = _geometry.Groups, ChannelStep = filters.Channels, FilterStep = filters.OutputsPerGroup,
        WeightLine = filters.Line,
    };
}
