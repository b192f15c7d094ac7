using System.Runtime.Intrinsics;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>NaN stays NaN, so that a broken step is noticed. The gradient at 0 is 0.</summary>
public sealed class ReLU : Layer
{
    private readonly Action<int> _applySample;
    private readonly Action<int> _maskSample;
    private readonly Action<int, int> _applyItem;
    private readonly Action<int, int> _maskItem;
    private Activation? _own;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation? _applied;
    private Activation? _masked;
    private Action<int>? _reader;
    private Action<int>? _gradientReader;

    internal ReLU(string name, int index, Shape shape)
        : base(name, index, shape, shape)
    {
        _applySample = ApplySample;
        _maskSample = MaskSample;
        _applyItem = (n, _) => ApplySample(n);
        _maskItem = (n, _) => MaskSample(n);
    }

    /// <summary>The batch norm just before this layer, which applies it within its own pass with the fast kernels.</summary>
    internal BatchNorm? AppliedBy { get; set; }

    /// <summary>True if the layer before has no use for its output, so that the fast kernels may work in place.</summary>
    internal bool OwnsInput { get; set; }

    public override long Flops => Output.Count;

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        if (IsApplied(step))
        {
            return OutputReader?.Invoke(x, step);
        }

        _x = x;
        _y = OwnsInput && step.Kernels == KernelSet.Fast ? x : ReserveOutput(ref _own, x.Capacity, step);
        _reader = OutputReader?.Invoke(_y, step);
        _applied = x;
        return _applySample;
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (IsApplied(step))
        {
            return x;
        }

        if (!ReferenceEquals(x, _applied))
        {
            ReadInput(x, step);
            step.Team.Run(step.Samples, _applyItem);
        }

        _applied = null;
        return _y;
    }

    internal override Action<int>? ReadGradient(Activation dy, StepContext step)
    {
        _gradientReader = GradientReader?.Invoke(dy, step);
        if (IsApplied(step))
        {
            return _gradientReader;
        }

        _dy = dy;
        _masked = dy;
        return _maskSample;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (IsApplied(step))
        {
            return dy;
        }

        if (!ReferenceEquals(dy, _masked))
        {
            ReadGradient(dy, step);
            step.Team.Run(step.Samples, _maskItem);
        }

        _masked = null;
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

    private void ApplySample(int n)
    {
        Apply(_x.SampleSpan(n), _y.SampleSpan(n));
        _reader?.Invoke(n);
    }

    private void MaskSample(int n)
    {
        Mask(_y.SampleSpan(n), _dy.SampleSpan(n));
        _gradientReader?.Invoke(n);
    }

    private bool IsApplied(StepContext step) => AppliedBy?.Applies(step) ?? false;
}
