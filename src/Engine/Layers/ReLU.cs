using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>NaN stays NaN, so that a broken step is noticed. The gradient at 0 is 0.</summary>
public sealed unsafe class ReLU : Layer
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
        fixed (float* input = x, output = y)
        {
            nint done = VectorWidth.IsWide ? Apply<Floats16>(input, output, 0, x.Length) : 0;
            Apply<Floats8>(input, output, done, x.Length);
        }
    }

    /// <summary>dy = 0 where y ≤ 0, for whole blocks.</summary>
    internal static void Mask(ReadOnlySpan<float> y, Span<float> dy)
    {
        fixed (float* output = y, gradient = dy)
        {
            nint done = VectorWidth.IsWide ? Mask<Floats16>(output, gradient, 0, y.Length) : 0;
            Mask<Floats8>(output, gradient, done, y.Length);
        }
    }

    /// <summary>Whole vectors from <paramref name="i"/> on.</summary>
    /// <returns>Where it stopped.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Apply<T>(float* x, float* y, nint i, nint length)
        where T : struct, IFloats<T>
    {
        for (; i + T.Count <= length; i += T.Count)
        {
            T value = T.Load(x + i);
            T.WherePositive(value, value).Store(y + i);
        }

        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Mask<T>(float* y, float* dy, nint i, nint length)
        where T : struct, IFloats<T>
    {
        for (; i + T.Count <= length; i += T.Count)
        {
            T.WherePositive(T.Load(dy + i), T.Load(y + i)).Store(dy + i);
        }

        return i;
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
