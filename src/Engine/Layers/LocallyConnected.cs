using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Layers;

/// <summary>A convolution whose filters and biases are not shared between positions: (C, H, W) to (K, Ho, Wo).</summary>
public sealed record LocallyConnectedSpec : LayerSpec
{
    /// <summary>K.</summary>
    public required int Out { get; init; }

    public required Size Kernel { get; init; }

    public Size Stride { get; init; } = 1;

    /// <summary>Zeros on each side, or "same".</summary>
    public Padding Padding { get; init; } = 0;

    public Size Dilation { get; init; } = 1;

    public bool Bias { get; init; }

    public Rounding Rounding { get; init; } = Rounding.Exact;

    public override Shape OutputShape(Shape input, string name) => Geometry(input, name).Output;

    internal ConvolutionGeometry Geometry(Shape input, string name)
    {
        string layer = $"layer '{name}' (locallyConnected)";
        Limits.CheckCount(layer, "out", Out);
        (Window rows, Window columns) = Window.Fit(layer, input, Kernel, Stride, Padding, Dilation, Rounding);
        var output = new Shape(Out, rows.Output, columns.Output);
        Limits.CheckVolume(layer, output);
        Limits.CheckWeights(layer, Out, input.C, (long)Kernel.H * Kernel.W, output.Area);
        return new ConvolutionGeometry(input, output, Kernel, Stride, new Size(rows.Padding, columns.Padding), Dilation, 1);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new LocallyConnected(name, builder.NextLayer(), Geometry(input, name), Bias);
}

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

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => (2L * _geometry.FilterCount + (_bias is null ? 0 : 1)) * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (_geometry.Rows, _geometry.Columns);

    public override void Load(StepContext step)
    {
        _kernel ??= step.Kernels == KernelSet.Reference ? new ReferenceLocallyConnected(_geometry) : new FastLocallyConnected(_geometry);
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
