using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels.Convolution;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Convolution, and fully connected as its 1x1 case.</summary>
public sealed class Convolution : Layer
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly Func<int, float[]> _rootOfWeight;
    private readonly Func<int, float[]>? _rootOfBias;
    private ConvolutionKernel? _kernel;
    private Activation? _x;
    private Activation? _y;
    private Activation? _dx;

    internal Convolution(string name, int index, ConvolutionGeometry geometry, int[] weightShape, bool bias)
        : base(name, index, geometry.Input, geometry.Output)
    {
        Geometry = geometry;
        int fanOut = geometry.FiltersPerGroup * geometry.Taps;
        _weight = new Parameter($"{name}.weight", weightShape, ParameterRole.Weight, index, 0, geometry.FilterCount, fanOut);
        if (bias)
        {
            _bias = new Parameter($"{name}.bias", [geometry.Output.C], ParameterRole.Bias, index, 1, geometry.FilterCount, fanOut);
        }

        Parameters = _bias is null ? [_weight] : [_weight, _bias];
        _rootOfWeight = _weight.GradientRoot;
        _rootOfBias = _bias is null ? null : _bias.GradientRoot;
    }

    public ConvolutionGeometry Geometry { get; }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => (2L * Geometry.FilterCount + (_bias is null ? 0 : 1)) * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (Geometry.Rows, Geometry.Columns);

    /// <summary>The batch norm that evaluation folds into this layer's weights.</summary>
    internal BatchNorm? Folded { get; set; }

    public override void Load(StepContext step)
    {
        _kernel ??= Own(ConvolutionKernel.For(Geometry, step.Kernels));
        (float[] weights, float[]? bias) = Filters(step.Training);
        _kernel.Load(weights, bias, step.Team);
    }

    /// <summary>What forward multiplies with and adds, in the tensors' logical order: in evaluation with the batch norm that follows.</summary>
    internal (float[] Weights, float[]? Bias) Filters(bool training) => training || Folded is null
        ? (_weight.Values, _bias?.Values)
        : Fold(_weight.Values, _bias?.Values, Folded);

    /// <summary>The packed weights, too: they are the same memory.</summary>
    internal override void Share(Layer loaded, StepContext step)
    {
        _kernel ??= Own(ConvolutionKernel.For(Geometry, step.Kernels));
        _kernel.Share(((Convolution)loaded)._kernel!, step.Team);
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _x = x;

        // Groups leave padding lanes as they are, so they need memory that starts as zeros.
        Activation y = Geometry.Groups == 1 ? ReserveOutput(ref _y, x.Capacity, step) : Reserve(ref _y, Output, x.Capacity);
        _kernel!.Forward(x, y, step.Samples, step.Team, OutputReader?.Invoke(y, step));
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        step.Profile?.Begin(Index, StepPhase.BackwardWeights);
        _kernel!.BackwardWeights(_x!, dy, step.Plan, _rootOfWeight, _rootOfBias, step.Team);
        step.Profile?.End();
        step.Profile?.Begin(Index, StepPhase.Update);
        if (_bias is not null)
        {
            step.Exchange.GradientReady(_bias);
        }

        step.Exchange.GradientReady(_weight);
        step.Profile?.End();
        if (!needsInputGradient)
        {
            return null;
        }

        Activation dx = Reserve(ref _dx, Input, dy.Capacity);
        _kernel.BackwardData(dy, dx, step.Samples, step.Team, GradientReader?.Invoke(dx, step));
        return dx;
    }

    /// <summary>γ(conv(x) + b − μ)·invstd + β as one convolution, in double and rounded once.</summary>
    private (float[] Weights, float[] Bias) Fold(float[] weights, float[]? bias, BatchNorm norm)
    {
        var foldedWeights = new float[_weight.Count];
        var foldedBias = new float[Output.C];
        int count = Geometry.FilterCount;
        for (int k = 0; k < Output.C; k++)
        {
            (double scale, double shift) = norm.EvaluationAffine(k);
            foldedBias[k] = (float)((bias is null ? 0 : bias[k] * scale) + shift);
            for (int i = k * count; i < (k + 1) * count; i++)
            {
                foldedWeights[i] = (float)(weights[i] * scale);
            }
        }

        return (foldedWeights, foldedBias);
    }
}
