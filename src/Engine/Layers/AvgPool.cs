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
public sealed class AvgPool : PoolingLayer
{
    internal AvgPool(string name, int index, Shape input, Window rows, Window columns)
        : base(name, index, input, rows, columns)
    {
    }

    private protected override void ForwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, Span<float> y) =>
        kernel.AverageForward(x, y, Rows, Columns);

    private protected override void BackwardBlock(PoolingKernel kernel, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx) =>
        kernel.AverageBackward(dy, dx, Rows, Columns);
}
