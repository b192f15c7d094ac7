using System.Runtime.Intrinsics;

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

/// <summary>Two branches that are added, then a ReLU.</summary>
public sealed class Residual : Layer
{
    private readonly LayerSequence _main;
    private readonly LayerSequence _shortcut;
    private Activation? _y;
    private Activation? _dShortcut;

    internal Residual(string name, int index, LayerSequence main, LayerSequence shortcut)
        : base(name, index, main.Input, main.Output)
    {
        _main = main;
        _shortcut = shortcut;
        Children = [.. main.Layers, .. shortcut.Layers];
    }

    public override IReadOnlyList<Layer> Children { get; }

    /// <summary>The addition and the ReLU; the branches count for themselves.</summary>
    public override long Flops => 2L * Output.Count;

    public override Activation Forward(Activation x, StepContext step)
    {
        Activation main = _main.Forward(x, step);
        Activation shortcut = _shortcut.Forward(x, step);
        Activation y = Reserve(ref _y, Output, x.Capacity);
        int blocks = Output.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) => AddReLU(
            main.Block(item / blocks, item % blocks), shortcut.Block(item / blocks, item % blocks), y.Block(item / blocks, item % blocks)));
        return y;
    }

    /// <summary>The shortcut goes first: its parameters come last in the model, so their gradients are due first.</summary>
    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        Activation y = _y!;
        Activation dShortcut = Reserve(ref _dShortcut, Output, dy.Capacity);
        step.Team.Run(step.Samples, (n, _) =>
        {
            ReLU.Mask(y.SampleSpan(n), dy.SampleSpan(n));
            dy.SampleSpan(n).CopyTo(dShortcut.SampleSpan(n));
        });
        Activation? dxShortcut = _shortcut.Backward(dShortcut, step, needsInputGradient);
        Activation? dx = _main.Backward(dy, step, needsInputGradient);
        if (dx is null || dxShortcut is null)
        {
            return null;
        }

        step.Team.Run(step.Samples, (n, _) => Reduction.GradientTree.Add(dx.SampleSpan(n), dxShortcut.SampleSpan(n)));
        return dx;
    }

    private static void AddReLU(ReadOnlySpan<float> main, ReadOnlySpan<float> shortcut, Span<float> y)
    {
        for (int i = 0; i < y.Length; i += 8)
        {
            Vector256<float> sum = Vector256.Create(main[i..]) + Vector256.Create(shortcut[i..]);
            Vector256.AndNot(sum, Vector256.LessThanOrEqual(sum, Vector256<float>.Zero)).CopyTo(y[i..]);
        }
    }
}
