using System.Runtime.CompilerServices;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Numerics;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Whether a value is kept depends on (seed, step, layer, sample of the data set, element) alone.</summary>
public sealed unsafe class Dropout : Layer
{
    private readonly uint _dropBelow;
    private readonly float _scale;
    private readonly Action<int, int> _forward;
    private readonly Action<int, int> _backward;
    private StepContext _step = null!;
    private Activation _x = null!;
    private Activation _dy = null!;
    private Activation? _mask;
    private Activation? _y;

    internal Dropout(string name, int index, Shape shape, double rate)
        : base(name, index, shape, shape)
    {
        _dropBelow = (uint)Math.Min(rate * 4294967296.0, uint.MaxValue);
        _scale = (float)(1 / (1 - rate));
        _forward = ForwardSample;
        _backward = BackwardSample;
    }

    /// <summary>An element is dropped if its random number is below this.</summary>
    internal uint DropBelow => _dropBelow;

    /// <summary>What the others are multiplied by.</summary>
    internal float Scale => _scale;

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!step.Training)
        {
            return x;
        }

        Reserve(ref _mask, Output, x.Capacity);
        Activation y = Reserve(ref _y, Output, x.Capacity);
        (_step, _x) = (step, x);
        step.Team.Run(step.Samples, _forward);
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        _dy = dy;
        step.Team.Run(step.Samples, _backward);
        return dy;
    }

    private void ForwardSample(int n, int thread)
    {
        DrawMask(n);
        Multiply(_x.SampleSpan(n), _mask!.SampleSpan(n), _y!.SampleSpan(n));
    }

    private void BackwardSample(int n, int thread) => Multiply(_dy.SampleSpan(n), _mask!.SampleSpan(n), _dy.SampleSpan(n));

    private static void Multiply(ReadOnlySpan<float> x, ReadOnlySpan<float> mask, Span<float> y)
    {
        fixed (float* input = x, factors = mask, output = y)
        {
            nint done = VectorWidth.IsWide ? Multiply<Floats16>(input, factors, output, 0, y.Length) : 0;
            Multiply<Floats8>(input, factors, output, done, y.Length);
        }
    }

    /// <summary>Whole vectors from <paramref name="i"/> on.</summary>
    /// <returns>Where it stopped.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Multiply<T>(float* x, float* mask, float* y, nint i, nint length)
        where T : struct, IFloats<T>
    {
        for (; i + T.Count <= length; i += T.Count)
        {
            (T.Load(x + i) * T.Load(mask + i)).Store(y + i);
        }

        return i;
    }

    /// <summary>Scale where kept, 0 where dropped. Four elements share one block of random numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void DrawMask(int n)
    {
        Span<uint> numbers = stackalloc uint[4];
        int sampleIndex = _step.SampleIndices[n];
        int area = Output.Area;
        int element = 0;
        for (int c = 0; c < Output.C; c++)
        {
            float* plane = _mask!.Data + _mask.Index(n, c, 0, 0);
            for (int pixel = 0; pixel < area; pixel++, element++)
            {
                if ((element & 3) == 0)
                {
                    (numbers[0], numbers[1], numbers[2], numbers[3]) =
                        Philox.DropoutBlock(_step.Seed, _step.Step, Index, sampleIndex, element >> 2);
                }

                plane[pixel * 8] = numbers[element & 3] < _dropBelow ? 0 : _scale;
            }
        }
    }
}
