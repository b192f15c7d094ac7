namespace ConvNet.Engine.Layers;

/// <summary>
/// In training, drops each value with probability <see cref="Rate"/> and divides the others by 1 − rate; nothing in evaluation.
/// Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
/// </summary>
public sealed record DropoutSpec : LayerSpec
{
    /// <summary>In [0, 1).</summary>
    public double Rate { get; init; } = 0.5;

    public override Shape OutputShape(Shape input, string name) => Rate is >= 0 and < 1
        ? input
        : throw ConvNetException.BadInput(
            FormattableString.Invariant($"layer '{name}' (dropout): rate {Rate} must be at least 0 and below 1; it is the share that is dropped."));

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new Dropout(name, builder.NextLayer(), OutputShape(input, name), Rate);
}

/// <summary>Whether a value is kept depends on (seed, step, layer, sample of the data set, element) alone.</summary>
public sealed unsafe class Dropout : Layer
{
    private readonly uint _dropBelow;
    private readonly float _scale;
    private Activation? _mask;
    private Activation? _y;

    internal Dropout(string name, int index, Shape shape, double rate)
        : base(name, index, shape, shape)
    {
        _dropBelow = (uint)Math.Min(rate * 4294967296.0, uint.MaxValue);
        _scale = (float)(1 / (1 - rate));
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!step.Training)
        {
            return x;
        }

        Activation mask = Reserve(ref _mask, Output, x.Capacity);
        Activation y = Reserve(ref _y, Output, x.Capacity);
        step.Team.Run(step.Samples, (n, _) =>
        {
            DrawMask(mask, n, step);
            Multiply(x.SampleSpan(n), mask.SampleSpan(n), y.SampleSpan(n));
        });
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!needsInputGradient)
        {
            return null;
        }

        Activation mask = _mask!;
        step.Team.Run(step.Samples, (n, _) => Multiply(dy.SampleSpan(n), mask.SampleSpan(n), dy.SampleSpan(n)));
        return dy;
    }

    private static void Multiply(ReadOnlySpan<float> x, ReadOnlySpan<float> mask, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = x[i] * mask[i];
        }
    }

    /// <summary>Scale where kept, 0 where dropped. Four elements share one block of random numbers.</summary>
    private void DrawMask(Activation mask, int n, StepContext step)
    {
        Span<uint> numbers = stackalloc uint[4];
        float* sample = mask.Sample(n);
        int sampleIndex = step.SampleIndices[n];
        for (int element = 0; element < Output.Count; element++)
        {
            if ((element & 3) == 0)
            {
                (numbers[0], numbers[1], numbers[2], numbers[3]) =
                    Philox.DropoutBlock(step.Seed, step.Step, Index, sampleIndex, element >> 2);
            }

            int c = element / Output.Area;
            long place = ((long)(c >> 3) * Output.Area + element % Output.Area) * 8 + (c & 7);
            sample[place] = numbers[element & 3] < _dropBelow ? 0 : _scale;
        }
    }
}
