using ConvNet.Engine.Layers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Devices;
using ConvNet.Gpu.Kernels.Normalization;
using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Layers;

/// <summary><see cref="LayerNorm"/> on a device: normalized with γ = 1 and β = 0, then by the elements' own γ and β.</summary>
internal sealed class DeviceLayerNorm : DeviceLayer
{
    private readonly Parameter _gamma;
    private readonly Parameter _beta;
    private readonly SampleNorm _statistics;
    private readonly DeviceBuffer<Float32> _values;
    private readonly DeviceBuffer<Float32> _gammas;
    private readonly DeviceBuffer<Float32> _betas;
    private readonly DeviceBuffer<Float32> _gammaLeaves;
    private readonly DeviceBuffer<Float32> _betaLeaves;
    private DeviceTensor _x = null!;
    private DeviceTensor? _xhat;
    private DeviceTensor? _y;

    public DeviceLayerNorm(KernelDevice device, LayerNorm norm)
        : base(device, norm)
    {
        (_gamma, _beta) = (norm.Parameters[0], norm.Parameters[1]);
        _statistics = Own(new SampleNorm(device, Output, 1));
        float[] ones = new float[Output.C];
        Array.Fill(ones, 1f);
        _statistics.Sets.LoadAffine(ones, new float[Output.C]);
        _values = NewBuffer<Float32>("parameters of normalization");
        _gammas = NewBuffer<Float32>("parameters of normalization").Reserve(Places.Stride);
        _betas = NewBuffer<Float32>("parameters of normalization").Reserve(Places.Stride);
        _gammaLeaves = NewBuffer<Float32>("gradients of normalization");
        _betaLeaves = NewBuffer<Float32>("gradients of normalization");
    }

    private ElementPlaces Places => new(Output);

    public override void Load(DeviceStep step)
    {
        Load(_gamma, _gammas, step);
        Load(_beta, _betas, step);
    }

    public override DeviceTensor Forward(DeviceTensor x, DeviceStep step)
    {
        _x = x;
        DeviceTensor xhat = Reserve(ref _xhat, Output, x.Capacity);
        DeviceTensor y = Reserve(ref _y, Output, x.Capacity);
        int values = step.Samples * x.SampleStride;
        _statistics.Measure(x, step);
        Device.Run(Normalizing.Forward, values, x.View, xhat.View, _statistics.Sets.Views, Output.Area, 0);
        Device.Run(Normalizing.ElementAffine, values, xhat.View, _gammas.View, _betas.View, y.View, x.SampleStride);
        return y;
    }

    public override DeviceTensor? Backward(DeviceTensor dy, DeviceStep step, bool needsInputGradient)
    {
        int leaves = checked(step.Shards.Count * _gamma.Count);
        _gammaLeaves.Reserve(leaves);
        _betaLeaves.Reserve(leaves);
        Device.Run(ElementGradients.Sum, leaves, dy.View, _xhat!.View, step.Shards.First, _gammaLeaves.View, _betaLeaves.View, Places);
        step.Gradients.Finish(_beta, _betaLeaves, step);
        step.Gradients.Finish(_gamma, _gammaLeaves, step);
        if (!needsInputGradient)
        {
            return null;
        }

        int values = step.Samples * dy.SampleStride;
        Device.Run(Normalizing.ElementScale, values, dy.View, _gammas.View, dy.SampleStride);
        _statistics.Sum(_x, dy, step);
        Device.Run(Normalizing.Backward, values, _x.View, dy.View, dy.View, _statistics.Sets.Views, Output.Area, 0);
        return dy;
    }

    private void Load(Parameter parameter, DeviceBuffer<Float32> blocked, DeviceStep step) => Device.Run(
        ElementGradients.Block, parameter.Count, ValuesOf(parameter, _values, parameter.Count, step), blocked.View, Places);
}
