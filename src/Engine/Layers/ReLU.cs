using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Layers;

/// <summary>max(x, 0), element by element.</summary>
public sealed record ReLUSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input;

    internal override Layer Build(ModelBuilder builder, string name, Shape input) => new ReLU(name, builder.NextLayer(), input);
}

/// <summary>NaN stays NaN, so that a broken step is noticed. The gradient at 0 is 0.</summary>
public sealed class ReLU(string name, int index, Shape shape) : Layer(name, index, shape, shape)
{
    private Activation? _own;
    private Activation? _y;

    /// <summary>The batch norm just before this layer, which applies it within its own pass with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    /// <summary>True if the layer before has no use for its output, so that the fast kernels may work in place.</summary>
    internal bool OwnsInput { get; set; }

    public override long Flops => Output.Count;

    public override Activation Forward(Activation x, StepContext step)
    {
        if (IsApplied(step))
        {
            return x;
        }

        Activation y = OwnsInput && step.Kernels == KernelSet.Fast ? x : Reserve(ref _own, Output, x.Capacity);
        _y = y;
        step.Team.Run(step.Samples, (n, _) => Apply(x.SampleSpan(n), y.SampleSpan(n)));
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!IsApplied(step))
        {
            Activation y = _y!;
            step.Team.Run(step.Samples, (n, _) => Mask(y.SampleSpan(n), dy.SampleSpan(n)));
        }

        return dy;
    }

    /// <summary>y = max(x, 0) for whole blocks.</summary>
    internal static void Apply(ReadOnlySpan<float> x, Span<float> y)
    {
        for (int i = 0; i < x.Length; i += 8)
        {
            Vector256<float> value = Vector256.Create(x[i..]);
            Vector256.AndNot(value, Vector256.LessThanOrEqual(value, Vector256<float>.Zero)).CopyTo(y[i..]);
        }
    }

    /// <summary>dy = 0 where y ≤ 0, for whole blocks.</summary>
    internal static void Mask(ReadOnlySpan<float> y, Span<float> dy)
    {
        for (int i = 0; i < y.Length; i += 8)
        {
            Vector256<float> closed = Vector256.LessThanOrEqual(Vector256.Create(y[i..]), Vector256<float>.Zero);
            Vector256.AndNot(Vector256.Create<float>(dy[i..]), closed).CopyTo(dy[i..]);
        }
    }

    private bool IsApplied(StepContext step) => AppliedBy?.Applies(step) ?? false;
}
