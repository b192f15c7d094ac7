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
public sealed class MaxPool : PoolingLayer
{
    private bool _wasApplied;

    internal MaxPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, rows, columns)
    {
    }

    /// <summary>True if a batch norm and ReLU before this layer can pool within their pass.</summary>
    internal bool FitsNormalization => PooledNormalization.Fits(Rows, Columns);

    /// <summary>The batch norm that does so in training with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    public override Activation Forward(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        return _wasApplied ? x : base.Forward(x, step);
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient) =>
        _wasApplied && needsInputGradient ? dy : base.Backward(dy, step, needsInputGradient);

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        _wasApplied = AppliedBy?.Pools(step) ?? false;
        return _wasApplied ? OutputReader?.Invoke(x, step) : base.ReadInput(x, step);
    }

    internal override Action<int>? ReadGradient(Activation dy, StepContext step) => _wasApplied ? GradientReader?.Invoke(dy, step) : null;

    private protected override void ForwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, Span<float> y) =>
        kernel.MaxForward(x, y, Rows, Columns);

    private protected override void BackwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx) =>
        kernel.MaxBackward(x, dy, dx, Rows, Columns);
}
