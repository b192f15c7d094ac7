using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>What max and average pooling share: a window that slides over each channel by itself, (C, H, W) to (C, Ho, Wo).</summary>
public abstract record PoolingSpec : LayerSpec
{
    public required Size Size { get; init; }

    /// <summary>The size, unless given.</summary>
    public Size? Stride { get; init; }

    public Size Padding { get; init; } = 0;

    public Rounding Rounding { get; init; } = Rounding.Exact;

    /// <summary>As in a model file, for error messages.</summary>
    private protected abstract string Type { get; }

    public sealed override Shape OutputShape(Shape input, string name)
    {
        (Window rows, Window columns) = Windows(input, name);
        return new Shape(input.C, rows.Output, columns.Output);
    }

    internal sealed override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        (Window rows, Window columns) = Windows(input, name);
        return Build(name, builder.NextLayer(), input, rows, columns);
    }

    private protected abstract PoolingLayer Build(string name, int index, Shape input, Window rows, Window columns);

    private (Window Rows, Window Columns) Windows(Shape input, string name)
    {
        string layer = $"layer '{name}' ({Type})";
        if (Padding.H > Size.H / 2 || Padding.W > Size.W / 2)
        {
            throw ConvNetException.BadInput(
                $"{layer}: padding {Padding} is more than half of size {Size}, so a window could see nothing but padding; " +
                $"use at most {new Size(Size.H / 2, Size.W / 2)}.");
        }

        return Window.Fit(layer, input, Size, Stride ?? Size, Padding, 1, Rounding);
    }
}
