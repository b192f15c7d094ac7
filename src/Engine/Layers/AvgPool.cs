using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Layers;

/// <summary>The mean under each window, each channel by itself. Padding counts as zeros, as in PyTorch.</summary>
public sealed record AvgPoolSpec : LayerSpec
{
    public required Size Size { get; init; }

    /// <summary>The size, unless given.</summary>
    public Size? Stride { get; init; }

    public Size Padding { get; init; } = 0;

    public Rounding Rounding { get; init; } = Rounding.Exact;

    public override Shape OutputShape(Shape input, string name) => Pooling.Output(Windows(input, name), input);

    internal (Window Rows, Window Columns) Windows(Shape input, string name) =>
        Pooling.Fit($"layer '{name}' (avgPool)", input, Size, Stride, Padding, Rounding);

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        (Window rows, Window columns) = Windows(input, name);
        return new AvgPool(name, builder.NextLayer(), input, rows, columns);
    }
}

/// <summary>The mean over all pixels of each channel: (C, H, W) to (C, 1, 1).</summary>
public sealed record GlobalAvgPoolSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => new(input.C, 1, 1);

    internal override Layer Build(ModelBuilder builder, string name, Shape input) => new AvgPool(
        name,
        builder.NextLayer(),
        input,
        new Window(input.H, input.H, 1, 0, 1, 1),
        new Window(input.W, input.W, 1, 0, 1, 1));
}

/// <summary>Average pooling; global average pooling is one window over everything.</summary>
public sealed class AvgPool : Layer
{
    private readonly Window _rows;
    private readonly Window _columns;
    private readonly Action<int> _poolSample;
    private readonly Action<int, int> _poolItem;
    private readonly Action<int, int> _backwardSample;
    private Activation? _own;
    private Activation? _ownGradient;
    private PoolingKernel _kernel = null!;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _dx = null!;
    private Activation? _pooled;
    private Action<int>? _reader;
    private Action<int>? _gradientReader;

    internal AvgPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, Pooling.Output((rows, columns), input))
    {
        _rows = rows;
        _columns = columns;
        _poolSample = PoolSample;
        _poolItem = (n, _) => PoolSample(n);
        _backwardSample = BackwardSample;
    }

    public override long Flops => (long)_rows.Kernel * _columns.Kernel * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (_rows, _columns);

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        _kernel = PoolingKernel.For(step.Kernels);
        _x = x;
        _y = Reserve(ref _own, Output, x.Capacity);
        _reader = OutputReader?.Invoke(_y, step);
        _pooled = x;
        return _poolSample;
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!ReferenceEquals(x, _pooled))
        {
            ReadInput(x, step);
            step.Team.Run(step.Samples, _poolItem);
        }

        _pooled = null;
        return _y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        _dy = dy;
        _dx = Reserve(ref _ownGradient, Input, dy.Capacity);
        _gradientReader = GradientReader?.Invoke(_dx, step);
        step.Team.Run(step.Samples, _backwardSample);
        return _dx;
    }

    private void PoolSample(int n)
    {
        for (int block = 0; block < Input.Blocks; block++)
        {
            _kernel.AverageForward(_x.Block(n, block), _y.Block(n, block), _rows, _columns);
        }

        _reader?.Invoke(n);
    }

    private void BackwardSample(int n, int thread)
    {
        for (int block = 0; block < Input.Blocks; block++)
        {
            _kernel.AverageBackward(_dy.Block(n, block), _dx.Block(n, block), _rows, _columns);
        }

        _gradientReader?.Invoke(n);
    }
}
