using System.Text.Json.Serialization;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>
/// What convolution and locally connected layers share: K filters wherever a window fits, (C, H, W) to (K, Ho, Wo). Sizes are
/// numbers or (height, width) pairs. A checkpoint's job is recognised by its text, so the order of the options in JSON is fixed: those
/// with a number come after the others, also where a derived record adds one.
/// </summary>
public abstract record FilterSpec : LayerSpec
{
    /// <summary>K, the number of filters.</summary>
    public required int Out { get; init; }

    public required Size Kernel { get; init; }

    public Size Stride { get; init; } = 1;

    /// <summary>Zeros on each side, or "same".</summary>
    public Padding Padding { get; init; } = 0;

    public Size Dilation { get; init; } = 1;

    [JsonPropertyOrder(2)]
    public bool Bias { get; init; }

    [JsonPropertyOrder(2)]
    public Rounding Rounding { get; init; } = Rounding.Exact;

    public sealed override Shape OutputShape(Shape input, string name) => Geometry(input, name).Output;

    /// <summary>What the layer computes, or a <see cref="ConvNetException"/> as <see cref="LayerSpec.OutputShape"/> says.</summary>
    internal abstract ConvolutionGeometry Geometry(Shape input, string name);

    /// <summary>The geometry with everything checked but the number of weights.</summary>
    /// <param name="layer">As error messages call it, e.g. "layer '3' (conv)".</param>
    private protected ConvolutionGeometry Fit(string layer, Shape input, int groups)
    {
        Limits.CheckCount(layer, "out", Out);
        if (groups < 1 || input.C % groups != 0 || Out % groups != 0)
        {
            throw ConvNetException.BadInput(
                $"{layer}: groups {groups} must divide the {input.C} input channels and the {Out} output channels; " +
                $"use one of {Limits.CommonDivisors(input.C, Out)}.");
        }

        (Window rows, Window columns) = Window.Fit(layer, input, Kernel, Stride, Padding, Dilation, Rounding);
        var output = new Shape(Out, rows.Output, columns.Output);
        Limits.CheckVolume(layer, output);
        return new ConvolutionGeometry(input, output, Kernel, Stride, new Size(rows.Padding, columns.Padding), Dilation, groups);
    }
}
