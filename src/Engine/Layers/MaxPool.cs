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
    private bool _wasApplied;

    internal MaxPool(string name, int index, Shape input, Window rows, Window columns)
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

    /// <summary>True if a batch norm and ReLU before this layer can pool within their pass.</summary>
    internal bool FitsNormalization => PooledNormalization.Fits(_rows, _columns);

    /// <summary>The batch norm that does so in training with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        if (_wasApplied)
        {
            return OutputReader?.Invoke(x, step);
        }

        _kernel = PoolingKernel.For(step.Kernels);
        _x = x;
        _y = Reserve(ref _own, Output, x.Capacity);
        _reader = OutputReader?.Invoke(_y, step);
        _pooled = x;
        return _poolSample;
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        if (_wasApplied)
        {
            return x;
        }

        if (!ReferenceEquals(x, _pooled))
        {
            ReadInput(x, step);
            step.Team.Run(step.Samples, _poolItem);
        }

        _pooled = null;
        return _y;
    }

    internal override Action<int>? ReadGradient(Activation dy, StepContext step) => _wasApplied ? GradientReader?.Invoke(dy, step) : null;

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
            _kernel.MaxForward(_x.Block(n, block), _y.Block(n, block), _rows, _columns);
        }

        _reader?.Invoke(n);
    }

    private void BackwardSample(int n, int thread)
    {
        for (int block = 0; block < Input.Blocks; block++)
        {
            _kernel.MaxBackward(_x.Block(n, block), _dy.Block(n, block), _dx.Block(n, block), _rows, _columns);
        }

        _gradientReader?.Invoke(n);
    }
}
