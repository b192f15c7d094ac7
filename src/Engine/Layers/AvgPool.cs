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
    private Activation? _y;
    private Activation? _dx;

    internal AvgPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, Pooling.Output((rows, columns), input))
    {
        _rows = rows;
        _columns = columns;
    }

    public override long Flops => (long)_rows.Kernel * _columns.Kernel * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (_rows, _columns);

    public override Activation Forward(Activation x, StepContext step)
    {
        PoolingKernel kernel = PoolingKernel.For(step.Kernels);
        Activation y = Reserve(ref _y, Output, x.Capacity);
        int blocks = Input.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) =>
            kernel.AverageForward(x.Block(item / blocks, item % blocks), y.Block(item / blocks, item % blocks), _rows, _columns));
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        PoolingKernel kernel = PoolingKernel.For(step.Kernels);
        Activation dx = Reserve(ref _dx, Input, dy.Capacity);
        int blocks = Input.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) =>
            kernel.AverageBackward(dy.Block(item / blocks, item % blocks), dx.Block(item / blocks, item % blocks), _rows, _columns));
        return dx;
    }
}
