using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Layers;

/// <summary>Filters that are shared over all positions: (C, H, W) to (K, Ho, Wo). Sizes are numbers or (height, width) pairs.</summary>
public sealed record ConvolutionSpec : LayerSpec
{
    /// <summary>K, the number of filters.</summary>
    public required int Out { get; init; }

    public required Size Kernel { get; init; }

    public Size Stride { get; init; } = 1;

    /// <summary>Zeros on each side, or "same".</summary>
    public Padding Padding { get; init; } = 0;

    public Size Dilation { get; init; } = 1;

    /// <summary>Divides C and K; C groups make it depthwise.</summary>
    public int Groups { get; init; } = 1;

    public bool Bias { get; init; }

    public Rounding Rounding { get; init; } = Rounding.Exact;

    public override Shape OutputShape(Shape input, string name) => Geometry(input, name).Output;

    internal ConvolutionGeometry Geometry(Shape input, string name)
    {
        string layer = $"layer '{name}' (conv)";
        Limits.CheckCount(layer, "out", Out);
        if (Groups < 1 || input.C % Groups != 0 || Out % Groups != 0)
        {
            throw ConvNetException.BadInput(
                $"{layer}: groups {Groups} must divide the {input.C} input channels and the {Out} output channels; " +
                $"use one of {Limits.CommonDivisors(input.C, Out)}.");
        }

        (Window rows, Window columns) = Window.Fit(layer, input, Kernel, Stride, Padding, Dilation, Rounding);
        var output = new Shape(Out, rows.Output, columns.Output);
        Limits.CheckVolume(layer, output);
        Limits.CheckWeights(layer, Out, input.C / Groups, (long)Kernel.H * Kernel.W);
        return new ConvolutionGeometry(input, output, Kernel, Stride, new Size(rows.Padding, columns.Padding), Dilation, Groups);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        ConvolutionGeometry geometry = Geometry(input, name);
        int[] shape = [Out, geometry.ChannelsPerGroup, Kernel.H, Kernel.W];
        return new Convolution(name, builder.NextLayer(), geometry, shape, Bias);
    }
}

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
        float[] weights = _weight.Values;
        float[]? bias = _bias?.Values;
        if (!step.Training && Folded is not null)
        {
            (weights, bias) = Fold(weights, bias, Folded);
        }

        _kernel.Load(weights, bias, step.Team);
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _x = x;
        Activation y = Reserve(ref _y, Output, x.Capacity);
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
