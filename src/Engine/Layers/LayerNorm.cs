using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Normalizes with γ = 1 and β = 0 for every channel, then applies the elements' own γ and β; backward takes dy·γ through the
/// same steps.
/// </summary>
public sealed class LayerNorm : Layer
{
    private readonly Parameter _gamma;
    private readonly Parameter _beta;
    private readonly SampleStatistics _statistics;
    private readonly PerThread<GradientTree> _trees = new(() => new GradientTree());
    private readonly float[] _ones;
    private readonly float[] _zeros;
    private readonly Action<int, int> _forward;
    private readonly Action<int, int> _sumChannel;
    private readonly Action<int, int> _backward;
    private NormalizationKernel _kernel = null!;
    private ShardPlan _plan = null!;
    private Activation? _blockedGamma;
    private Activation? _blockedBeta;
    private Activation? _x;
    private Activation? _y;
    private Activation? _xhat;
    private Activation? _dy;

    internal LayerNorm(string name, int index, Shape shape)
        : base(name, index, shape, shape)
    {
        _gamma = new Parameter($"{name}.weight", [shape.C, shape.H, shape.W], ParameterRole.Scale, index, 0, 1, 1);
        _beta = new Parameter($"{name}.bias", [shape.C, shape.H, shape.W], ParameterRole.Shift, index, 1, 1, 1);
        _statistics = new SampleStatistics(shape, 1);
        _ones = new float[shape.Blocks * 8];
        _ones.AsSpan(0, shape.C).Fill(1);
        _zeros = new float[shape.Blocks * 8];
        Parameters = [_gamma, _beta];
        (_forward, _sumChannel, _backward) = (ForwardSample, SumChannel, BackwardSample);
    }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => 8L * Output.Count;

    public override void Load(StepContext step)
    {
        Activation gamma = Reserve(ref _blockedGamma, Output, 1);
        Activation beta = Reserve(ref _blockedBeta, Output, 1);
        for (int i = 0; i < Output.Count; i++)
        {
            int place = Place(i);
            gamma.SampleSpan(0)[place] = _gamma.Values[i];
            beta.SampleSpan(0)[place] = _beta.Values[i];
        }
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _x = x;
        Activation y = ReserveOutput(ref _y, x.Capacity, step);
        Reserve(ref _xhat, Output, x.Capacity);
        _kernel = NormalizationKernel.For(step.Kernels);
        _statistics.Reserve(step.Samples);
        step.Team.Run(step.Samples, _forward);
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        (_dy, _plan) = (dy, step.Plan);
        _trees.Reserve(step.Team.Size);
        step.Team.Run(Output.C, _sumChannel);
        step.Exchange.GradientReady(_beta);
        step.Exchange.GradientReady(_gamma);
        if (!needsInputGradient)
        {
            return null;
        }

        step.Team.Run(step.Samples, _backward);
        return dy;
    }

    private void ForwardSample(int n, int thread)
    {
        _statistics.Measure(_x!, n, _kernel);
        for (int block = 0; block < Output.Blocks; block++)
        {
            _kernel.Forward(_x!.Block(n, block), _xhat!.Block(n, block), Constants(n, block), relu: false);
        }

        Affine(_xhat!.SampleSpan(n), _blockedGamma!.SampleSpan(0), _blockedBeta!.SampleSpan(0), _y!.SampleSpan(n));
    }

    private void BackwardSample(int n, int thread)
    {
        Scale(_dy!.SampleSpan(n), _blockedGamma!.SampleSpan(0));
        for (int block = 0; block < Output.Blocks; block++)
        {
            _kernel.BackwardSums(
                _x!.Block(n, block), _dy.Block(n, block), Constants(n, block), false,
                _statistics.Sums.First(n, block), _statistics.Sums.Second(n, block));
        }

        _statistics.SetBackward(n, _ones);
        for (int block = 0; block < Output.Blocks; block++)
        {
            Span<float> dy = _dy.Block(n, block);
            _kernel.Backward(_x!.Block(n, block), dy, dy, Constants(n, block), relu: false);
        }
    }

    private static void Affine(ReadOnlySpan<float> xhat, ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = MathF.FusedMultiplyAdd(xhat[i], gamma[i], beta[i]);
        }
    }

    private static void Scale(Span<float> dy, ReadOnlySpan<float> gamma)
    {
        for (int i = 0; i < dy.Length; i++)
        {
            dy[i] *= gamma[i];
        }
    }

    /// <summary>dγ = Σ dy·x̂ and dβ = Σ dy over samples, one tile of both per channel.</summary>
    private void SumChannel(int c, int thread)
    {
        int area = Output.Area;
        GradientTree tree = _trees[thread];
        tree.Begin(2 * area);
        foreach (LocalShard shard in _plan.Shards)
        {
            SumChannel(shard, c, tree.Leaf());
            if (tree.Commit(shard, out ReadOnlySpan<float> sum))
            {
                sum[..area].CopyTo(_gamma.GradientRoot(shard.Root).AsSpan(c * area));
                sum[area..].CopyTo(_beta.GradientRoot(shard.Root).AsSpan(c * area));
            }
        }
    }

    private void SumChannel(in LocalShard shard, int c, Span<float> leaf)
    {
        int area = Output.Area;
        for (int i = 0; i < area; i++)
        {
            double gamma = 0;
            double beta = 0;
            int place = Place(c * area + i);
            for (int n = shard.First; n < shard.End; n++)
            {
                float gradient = _dy!.SampleSpan(n)[place];
                gamma += (double)gradient * _xhat!.SampleSpan(n)[place];
                beta += gradient;
            }

            leaf[i] = (float)gamma;
            leaf[area + i] = (float)beta;
        }
    }

    private int Place(int element)
    {
        int c = element / Output.Area;
        return ((c >> 3) * Output.Area + element % Output.Area) * 8 + (c & 7);
    }

    private NormBlock Constants(int n, int block) => new(_statistics[n], _ones, _zeros, block);
}
