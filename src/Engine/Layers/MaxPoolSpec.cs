using ConvNet.Engine.Geometry;

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
