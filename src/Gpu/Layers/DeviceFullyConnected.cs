using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.FullyConnected;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Layers;

/// <summary>A fully connected <see cref="Convolution"/> on a device.</summary>
internal sealed class DeviceFullyConnected : DeviceLayer
{
    private readonly Convolution _convolution;
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly DeviceBuffer<Float32> _weights;
    private readonly DeviceBuffer<Float32> _transposed;
    private readonly DeviceBuffer<Float32> _biases;
    private readonly DeviceBuffer<Float32> _leaves;
    private ArrayView<Float32> _weightValues;
    private ArrayView<Float32> _biasValues;
    private DeviceTensor _x = null!;
    private DeviceTensor? _y;
    private DeviceTensor? _dx;

    public DeviceFullyConnected(KernelDevice device, Convolution convolution)
        : base(device, convolution)
    {
        _convolution = convolution;
        _weight = convolution.Parameters[0];
        _bias = convolution.Parameters.Count > 1 ? convolution.Parameters[1] : null;
        _weights = NewBuffer<Float32>("weights");
        _transposed = NewBuffer<Float32>("weights");
        _biases = NewBuffer<Float32>("biases");
        _leaves = NewBuffer<Float32>("gradients of weights");
    }

    /// <summary>True for a convolution that is one: one pixel, one tap, one group.</summary>
    public static bool Fits(ConvolutionGeometry geometry) =>
        geometry == ConvolutionGeometry.FullyConnected(geometry.Input.C, geometry.Output.C);

    public override void Load(DeviceStep step)
    {
        if (step.Training)
        {
            _weightValues = ValuesOf(_weight, _weights, _weight.Count, step);
            _biasValues = _bias is null ? Uploaded(new float[Output.C], _biases, Output.C) : ValuesOf(_bias, _biases, Output.C, step);
        }
        else
        {
            (float[] weights, float[]? bias) = _convolution.Filters(training: false);
            _weightValues = Uploaded(weights.AsSpan(0, _weight.Count), _weights, _weight.Count);
            _biasValues = Uploaded(bias is null ? new float[Output.C] : bias.AsSpan(0, Output.C), _biases, Output.C);
        }

        Device.Run(
            FullyConnectedKernels.Transpose, _weight.Count, _weightValues, _transposed.Reserve(_weight.Count).View, Input.C, Output.C);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _x = x;
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        Device.Run(FullyConnectedKernels.Forward, step.Samples * Output.C, x.View, y.View, _transposed.View, _biasValues, Input.C, Output.C);
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
        Device.Run(FullyConnectedKernels.BackwardData, step.Samples * Input.C, dy.View, dx.View, _weightValues, Input.C, Output.C);
        return dx;
    }

    private protected override void BackwardWeights(DeviceTensor dy, DeviceStep step)
    {
        int shards = step.Shards.Count;
        _leaves.Reserve((long)shards * _weight.Count);
        if (_bias is not null)
        {
            Device.Run(FullyConnectedKernels.BackwardBias, shards * Output.C, dy.View, step.Shards.First, _leaves.View, Output.C);
            step.Gradients.Finish(_bias, _leaves, step);
        }

        Device.Run(
            FullyConnectedKernels.BackwardWeights, checked(shards * _weight.Count), _x.View, dy.View, step.Shards.First, _leaves.View, Input.C, Output.C);
        step.Gradients.Finish(_weight, _leaves, step);
    }
}
