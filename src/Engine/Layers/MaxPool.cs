using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Layers;

/// <summary>The largest value under each window, each channel by itself. Padding never wins.</summary>
public sealed record MaxPoolSpec : LayerSpec
{
    public required Size Size { get; init; }

    /// <summary>The size, unless given.</summary>
    public Size? Stride { get; init; }

    public Size Padding { get; init; } = 0;

    public Rounding Rounding { get; init; } = Rounding.Exact;

    public override Shape OutputShape(Shape input, string name) => Pooling.Output(Windows(input, name), input);

    internal (Window Rows, Window Columns) Windows(Shape input, string name) =>
        Pooling.Fit($"layer '{name}' (maxPool)", input, Size, Stride, Padding, Rounding);

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        (Window rows, Window columns) = Windows(input, name);
        return new MaxPool(name, builder.NextLayer(), input, rows, columns);
    }
}

/// <summary>What max and average pooling share.</summary>
internal static class Pooling
{
    public static (Window Rows, Window Columns) Fit(string layer, Shape input, Size size, Size? stride, Size padding, Rounding rounding)
    {
        if (padding.H > size.H / 2 || padding.W > size.W / 2)
        {
            throw ConvNetException.BadInput(
                $"{layer}: padding {padding} is more than half of size {size}, so a window could see nothing but padding; " +
                $"use at most {new Size(size.H / 2, size.W / 2)}.");
        }

        return Window.Fit(layer, input, size, stride ?? size, padding, 1, rounding);
    }

    public static Shape Output((Window Rows, Window Columns) windows, Shape input) =>
        new(input.C, windows.Rows.Output, windows.Columns.Output);
}

/// <summary>Of equal values the first in row order wins, and gets the gradient.</summary>
public sealed class MaxPool : Layer
{
    private readonly Window _rows;
    private readonly Window _columns;
    private Activation? _x;
    private Activation? _y;
    private Activation? _dx;
    private bool _wasApplied;

    internal MaxPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, Pooling.Output((rows, columns), input))
    {
        _rows = rows;
        _columns = columns;
    }

    public override long Flops => (long)_rows.Kernel * _columns.Kernel * Output.Count;

    public override (Window Rows, Window Columns)? Windows => (_rows, _columns);

    /// <summary>True if a batch norm and ReLU before this layer can pool within their pass.</summary>
    internal bool FitsNormalization => PooledNormalization.Fits(_rows, _columns);

    /// <summary>The batch norm that does so in training with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    public override Activation Forward(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        if (_wasApplied)
        {
            return x;
        }

        _x = x;
        PoolingKernel kernel = PoolingKernel.For(step.Kernels);
        Activation y = Reserve(ref _y, Output, x.Capacity);
        int blocks = Input.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) =>
            kernel.MaxForward(x.Block(item / blocks, item % blocks), y.Block(item / blocks, item % blocks), _rows, _columns));
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        if (_wasApplied)
        {
            return dy;
        }

        Activation x = _x!;
        PoolingKernel kernel = PoolingKernel.For(step.Kernels);
        Activation dx = Reserve(ref _dx, Input, dy.Capacity);
        int blocks = Input.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) =>
        {
            int n = item / blocks;
            int block = item % blocks;
            kernel.MaxBackward(x.Block(n, block), dy.Block(n, block), dx.Block(n, block), _rows, _columns);
        });
        return dx;
    }
}
