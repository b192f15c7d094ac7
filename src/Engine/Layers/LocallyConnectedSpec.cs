using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>A convolution whose filters and biases are not shared between positions: (C, H, W) to (K, Ho, Wo).</summary>
public sealed record LocallyConnectedSpec : LayerSpec
{
    /// <summary>K.</summary>
    public required int Out { get; init; }

    public required Size Kernel { get; init; }

    public Size Stride { get; init; } = 1;

    /// <summary>Zeros on each side, or "same".</summary>
    public Padding Padding { get; init; } = 0;

    public Size Dilation { get; init; } = 1;

    public bool Bias { get; init; }

    public Rounding Rounding { get; init; } = Rounding.Exact;

    public override Shape OutputShape(Shape input, string name) => Geometry(input, name).Output;

    internal ConvolutionGeometry Geometry(Shape input, string name)
    {
        string layer = $"layer '{name}' (locallyConnected)";
        Limits.CheckCount(layer, "out", Out);
        (Window rows, Window columns) = Window.Fit(layer, input, Kernel, Stride, Padding, Dilation, Rounding);
        var output = new Shape(Out, rows.Output, columns.Output);
        Limits.CheckVolume(layer, output);
        Limits.CheckWeights(layer, Out, input.C, (long)Kernel.H * Kernel.W, output.Area);
        return new ConvolutionGeometry(input, output, Kernel, Stride, new Size(rows.Padding, columns.Padding), Dilation, 1);
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new LocallyConnected(name, builder.NextLayer(), Geometry(input, name), Bias);
}
