using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Converts the blocked layout to a flat one; with one pixel both are the same memory.</summary>
public sealed unsafe class Flatten : Layer
{
    private readonly Action<int> _flattenSample;
    private readonly Action<int, int> _flattenItem;
    private readonly Action<int, int> _backwardSample;
    private Activation? _own;
    private Activation? _ownGradient;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _dx = null!;
    private Activation? _flattened;
    private Action<int>? _reader;
    private Action<int>? _gradientReader;

    internal Flatten(string name, int index, Shape input, Shape output)
        : base(name, index, input, output)
    {
        _flattenSample = FlattenSample;
        _flattenItem = (n, _) => FlattenSample(n);
        _backwardSample = BackwardSample;
    }

    private bool IsFlat => Input.Area == 1;

    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        if (IsFlat)
        {
            return OutputReader?.Invoke(x, step);
        }

        _x = x;
        _y = Reserve(ref _own, Output, x.Capacity);
        _reader = OutputReader?.Invoke(_y, step);
        _flattened = x;
        return _flattenSample;
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (IsFlat)
        {
            return x;
        }

        if (!ReferenceEquals(x, _flattened))
        {
            ReadInput(x, step);
            step.Team.Run(step.Samples, _flattenItem);
        }

        _flattened = null;
        return _y;
    }

    internal override Action<int>? ReadGradient(Activation dy, StepContext step) => IsFlat ? GradientReader?.Invoke(dy, step) : null;

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (IsFlat || !needsInputGradient)
        {
            return needsInputGradient ? dy : null;
        }

        _dy = dy;
        _dx = Reserve(ref _ownGradient, Input, dy.Capacity);
        _gradientReader = GradientReader?.Invoke(_dx, step);
        step.Team.Run(step.Samples, _backwardSample);
        return _dx;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FlattenSample(int n)
    {
        float* flat = _y.Sample(n);
        float* pixel = _x.Sample(n);
        for (int c = 0; c < Input.C; c += 8, flat += 8 * Input.Area)
        {
            // Pixel by pixel, so that each line of the blocked side is touched once.
            int lanes = Math.Min(8, Input.C - c);
            for (nint i = 0; i < Input.Area; i++, pixel += 8)
            {
                for (nint lane = 0; lane < lanes; lane++)
                {
                    flat[lane * Input.Area + i] = pixel[lane];
                }
            }
        }

        _reader?.Invoke(n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void BackwardSample(int n, int thread)
    {
        float* flat = _dy.Sample(n);
        float* pixel = _dx.Sample(n);
        for (int c = 0; c < Input.C; c += 8, flat += 8 * Input.Area)
        {
            int lanes = Math.Min(8, Input.C - c);
            for (nint i = 0; i < Input.Area; i++, pixel += 8)
            {
                for (nint lane = 0; lane < lanes; lane++)
                {
                    pixel[lane] = flat[lane * Input.Area + i];
                }
            }
        }

        _gradientReader?.Invoke(n);
    }
}
