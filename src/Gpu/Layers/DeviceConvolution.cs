using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Convolutions;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Convolution;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>A convolution, and fully connected as its 1×1 case; in evaluation with the batch norm that is folded into it.</summary>
internal sealed class DeviceConvolution : DeviceLayer
{
    private readonly Convolution _layer;
    private readonly ConvolutionAlgorithm _algorithm;
    private readonly RunTable _biasRuns;
    private readonly DeviceBuffer<Float32> _weights;
    private readonly DeviceBuffer<Float32> _bias;
    private readonly DeviceBuffer<Float32> _leaves;
    private readonly DeviceBuffer<Float32> _biasLeaves;
    private readonly DeviceBuffer<Float32> _biasSums;
    private ArrayView<Float32> _biasValues;
    private DeviceTensor? _x;
    private DeviceTensor? _y;
    private DeviceTensor? _dx;

    public DeviceConvolution(KernelDevice device, Convolution layer)
        : this(device, layer, ConvolutionAlgorithm.For(layer.Geometry, Products.For(device)))
    {
    }

    internal DeviceConvolution(KernelDevice device, Convolution layer, ConvolutionAlgorithm algorithm)
        : base(device, layer)
    {
        _layer = layer;
        _algorithm = Own(algorithm);
        _biasRuns = Own(new RunTable(device, Output.Area, algorithm.BiasRuns.Samples, algorithm.BiasRuns.Pixels));
        _weights = NewBuffer<Float32>("weights");
        _bias = NewBuffer<Float32>("biases");
        _leaves = NewBuffer<Float32>("gradients");
        _biasLeaves = NewBuffer<Float32>("gradients");
        _biasSums = NewBuffer<Float32>("gradients");
    }

    private Parameter Weight => _layer.Parameters[0];

    /// <summary>For kernels: one float stands for none. There may be one in evaluation, so that memory is made for it.</summary>
    private ArrayView<Float32> NoBias => _bias.Reserve(BiasLanes).View.SubView(0, 1);

    private int BiasLanes => 8 * Output.Blocks;

    public override void Load(DeviceStep step)
    {
        if (step.Training)
        {
            _biasValues = _layer.Parameters.Count > 1 ? ValuesOf(_layer.Parameters[1], _bias, BiasLanes, step) : NoBias;
            _algorithm.Load(ValuesOf(Weight, _weights, Weight.Count, step));
            return;
        }

        (float[] weights, float[]? bias) = _layer.Filters(training: false);
        _biasValues = bias is null ? NoBias : Uploaded(bias.AsSpan(0, Output.C), _bias, BiasLanes);
        _algorithm.Load(Uploaded(weights.AsSpan(0, Weight.Count), _weights, Weight.Count));
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _x = x;
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        _algorithm.Forward(x, y, _biasValues, step.Samples);
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
        _algorithm.BackwardData(dy, dx, step.Samples);
        return dx;
    }

    private protected override void BackwardWeights(DeviceTensor dy, DeviceStep step)
    {
        if (_layer.Parameters.Count > 1)
        {
            BackwardBias(dy, step);
        }

        _leaves.Reserve((long)step.Plan.Shards.Length * Weight.Count);
        _algorithm.BackwardWeights(_x!, dy, step.Plan, _leaves.View);
        step.Gradients.Finish(Weight, _leaves, step);
    }

    private void BackwardBias(DeviceTensor dy, DeviceStep step)
    {
        _biasRuns.Load(step.Plan);
        int lanes = 8 * Output.Blocks;
        int shards = step.Plan.Shards.Length;
        ArrayView<Float32> sums = _biasSums.Reserve(checked(_biasRuns.Count * lanes)).View;
        _biasLeaves.Reserve(checked(shards * Output.C));
        Device.Run(BiasSums.Runs, _biasRuns.Count * lanes, dy.View, _biasRuns.Runs, sums, Output.Area, Output.Blocks);
        Device.Run(BiasSums.Leaves, shards * Output.C, sums, _biasRuns.Shards, _biasLeaves.View, Output.C);
        step.Gradients.Finish(_layer.Parameters[1], _biasLeaves, step);
    }
}
