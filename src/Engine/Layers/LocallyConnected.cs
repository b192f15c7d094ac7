using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.LocallyConnected;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Weights (K, C, R, S, Ho, Wo), bias (K, Ho, Wo).</summary>
public sealed class LocallyConnected : Layer
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly ConvolutionGeometry _geometry;
    private readonly Func<int, float[]> _rootOfWeight;
    private readonly Func<int, float[]>? _rootOfBias;
    private LocallyConnectedKernel? _kernel;
    private Activation? _x;
    private Activation? _y;
    private Activation? _dx;

    internal LocallyConnected(string name, int index, ConvolutionGeometry geometry, bool bias)
        : base(name, index, geometry.Input, geometry.Output)
    {
        _geometry = geometry;
        Shape output = geometry.Output;
        int[] shape = [output.C, geometry.Input.C, geometry.Kernel.H, geometry.Kernel.W, output.H, output.W];
        int fanOut = output.C * geometry.Taps;
        _weight = new Parameter($"{name}.weight", shape, ParameterRole.Weight, index, 0, geometry.FilterCount, fanOut);
        if (bias)
        {
            int[] biasShape = [output.C, output.H, output.W];
            _bias = new Parameter($"{name}.bias", biasShape, ParameterRole.Bias, index, 1, geometry.FilterCount, fanOut);
        }

        Parameters = _bias is null ? [_weight] : [_weight, _bias];
        _rootOfWeight = _weight.GradientRoot;
        _rootOfBias = _bias is null ? null : _bias.GradientRoot;
    }

    public ConvolutionGeometry Geometry => _geometry;

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => (2L * _geometry.FilterCount + (_bias is null ? 0 : 1)) * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (_geometry.Rows, _geometry.Columns);

    public override void Load(StepContext step)
    {
        _kernel ??= LocallyConnectedKernel.For(_geometry, step.Kernels);
        _kernel.Load(_weight.Values.AsSpan(0, _weight.Count), _bias is null ? [] : _bias.Values.AsSpan(0, _bias.Count));
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _x = x;
        Activation y = Reserve(ref _y, Output, x.Capacity);
        _kernel!.Forward(x, y, step.Samples, step.Team);
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        step.Profile?.Begin(Index, StepPhase.BackwardWeights);
        _kernel!.BackwardWeights(_x!, dy, step.Plan, _rootOfWeight, step.Team);
        if (_bias is not null)
        {
            _kernel.BackwardBias(dy, step.Plan, _rootOfBias!, step.Team);
            step.Exchange.GradientReady(_bias);
        }

        step.Exchange.GradientReady(_weight);
        step.Profile?.End();
        if (!needsInputGradient)
        {
            return null;
        }

        Activation dx = Reserve(ref _dx, Input, dy.Capacity);
        _kernel.BackwardData(dy, dx, step.Samples, step.Team);
        return dx;
    }
}
