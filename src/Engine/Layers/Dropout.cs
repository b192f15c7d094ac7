using System.Runtime.Intrinsics;
using ConvNet.Engine.Geometry;
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
        for (int i = 0; i < y.Length; i += 8)
        {
            (Vector256.Create(x[i..]) * Vector256.Create(mask[i..])).CopyTo(y[i..]);
        }
    }

    /// <summary>Scale where kept, 0 where dropped. Four elements share one block of random numbers.</summary>
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
