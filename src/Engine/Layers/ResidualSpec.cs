using ConvNet.Engine.Errors;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Layers;

/// <summary>relu(main(x) + shortcut(x)). Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2015).</summary>
public sealed record ResidualSpec : LayerSpec
{
    public required IReadOnlyList<LayerSpec> Main { get; init; }

    /// <summary>Null or empty: the identity.</summary>
    public IReadOnlyList<LayerSpec>? Shortcut { get; init; }

    public override Shape OutputShape(Shape input, string name)
    {
        if (Main.Count == 0)
        {
            throw ConvNetException.BadInput($"layer '{name}' (residual): \"main\" is empty; give it at least one layer.");
        }

        Shape main = OutputShape(Main, input, $"{name}.main");
        Shape shortcut = OutputShape(Shortcut ?? [], input, $"{name}.shortcut");
        if (main != shortcut)
        {
            throw ConvNetException.BadInput(
                $"layer '{name}' (residual): main gives {main} but the shortcut {shortcut}, and they are added; give the shortcut " +
                "a 1x1 \"conv\" with the same \"out\" and \"stride\" as main, and a \"batchNorm\".");
        }

        return main;
    }

    internal override Layer Build(ModelBuilder builder, string name, Shape input)
    {
        OutputShape(input, name);
        int index = builder.NextLayer();
        LayerSequence main = builder.Build(Main, $"{name}.main.", input);
        return new Residual(name, index, main, builder.Build(Shortcut ?? [], $"{name}.shortcut.", input));
    }

    private static Shape OutputShape(IReadOnlyList<LayerSpec> layers, Shape input, string name)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            input = layers[i].OutputShape(input, $"{name}.{i}");
        }

        return input;
    }
}
