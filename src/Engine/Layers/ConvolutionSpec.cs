using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

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
