using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.LocallyConnected;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>A convolution whose filters and biases are not shared between positions.</summary>
internal sealed class DeviceLocallyConnected : DeviceLayer
{
    /// <summary>Weights of all shards of one launch, which counts them by an int.</summary>
    private const int MaxWeights = 1 << 28;

    private readonly LocalGrid _grid;
    private readonly DeviceBuffer<Float32> _weights;
    private readonly DeviceBuffer<Float32> _bias;
    private readonly DeviceBuffer<Float32> _leaves;
    private ArrayView<Float32> _weightValues;
    private ArrayView<Float32> _biasValues;
    private DeviceTensor? _x;
    private DeviceTensor? _y;
    private DeviceTensor? _dx;

    public DeviceLocallyConnected(KernelDevice device, LocallyConnected layer)
        : base(device, layer)
    {
        _grid = new LocalGrid(layer.Geometry);
        _weights = NewBuffer<Float32>("weights");
        _bias = NewBuffer<Float32>("biases");
        _leaves = NewBuffer<Float32>("gradients");
    }

    private Parameter Weight => Layer.Parameters[0];

    private Parameter? Bias => Layer.Parameters.Count > 1 ? Layer.Parameters[1] : null;

    public override void Load(DeviceStep step)
    {
        _weightValues = ValuesOf(Weight, _weights, Weight.Count, step);
        _biasValues = Bias is null ? _bias.Reserve(1).View : ValuesOf(Bias, _bias, Bias.Count, step);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _x = x;
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        int items = checked(step.Samples * y.SampleStride);
        Device.Run(LocalProducts.Forward, items, x.View, _weightValues, _biasValues, y.View, Bias is null ? 0 : 1, _grid);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        BackwardWeightsAside(dy, step);
        if (!needsInputGradient)
        {
            return null;
        }

        DeviceTensor dx = Reserve(ref _dx, Input, dy.Capacity);
        Device.Run(LocalProducts.BackwardData, checked(step.Samples * dx.SampleStride), dy.View, _weightValues, dx.View, _grid);
        return dx;
    }

    private protected override void BackwardWeights(DeviceTensor dy, DeviceStep step)
    {
        int shards = step.Plan.Shards.Length;
        if (Bias is not null)
        {
            _leaves.Reserve((long)shards * Bias.Count);
            Device.Run(LocalProducts.BackwardBias, checked(shards * Bias.Count), dy.View, _leaves.View, step.Shards.First, _grid);
            step.Gradients.Finish(Bias, _leaves, step);
        }

        _leaves.Reserve((long)shards * Weight.Count);
        int most = Math.Max(1, MaxWeights / Weight.Count);
        for (int first = 0; first < shards; first += most)
        {
            int count = Math.Min(most, shards - first);
            Device.Run(
                LocalProducts.BackwardWeights, checked(count * Weight.Count), _x!.View, dy.View,
                _leaves.View.SubView((long)first * Weight.Count, (long)count * Weight.Count), step.Shards.First.SubView(first, count + 1), _grid);
        }

        step.Gradients.Finish(Weight, _leaves, step);
    }
}
