using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

/// <summary>Group normalization; instance normalization is one group per channel.</summary>
public sealed class GroupNorm : Layer
{
    private readonly Parameter _gamma;
    private readonly Parameter _beta;
    private readonly SampleStatistics _statistics;
    private readonly AffineGradients _affine;
    private readonly float[] _paddedGamma;
    private readonly float[] _paddedBeta;
    private readonly ShardReduction<BackwardSums> _totals;
    private readonly Action<int, int> _forward;
    private readonly Action<int, int> _sum;
    private readonly Action<int, int> _backward;
    private NormalizationKernel _kernel = null!;
    private Activation? _x;
    private Activation? _y;
    private Activation? _dy;

    internal GroupNorm(string name, int index, Shape shape, int groups)
        : base(name, index, shape, shape)
    {
        _gamma = new Parameter($"{name}.weight", [shape.C], ParameterRole.Scale, index, 0, 1, 1);
        _beta = new Parameter($"{name}.bias", [shape.C], ParameterRole.Shift, index, 1, 1, 1);
        Groups = groups;
        _affine = new AffineGradients(_gamma, _beta);
        _statistics = new SampleStatistics(shape, groups);
        _paddedGamma = new float[shape.Blocks * 8];
        _paddedBeta = new float[shape.Blocks * 8];
        Parameters = [_gamma, _beta];
        _totals = new ShardReduction<BackwardSums>(
            () => new BackwardSums(new double[shape.C], new double[shape.C]), BackwardSums.Absorb);
        (_forward, _sum, _backward) = (ForwardSample, SumSample, BackwardSample);
    }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => 8L * Output.Count;

    internal int Groups { get; }

    public override void Load(StepContext step)
    {
        _gamma.Values.AsSpan(0, Output.C).CopyTo(_paddedGamma);
        _beta.Values.AsSpan(0, Output.C).CopyTo(_paddedBeta);
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        _x = x;
        Activation y = ReserveOutput(ref _y, x.Capacity, step);
        _kernel = NormalizationKernel.For(step.Kernels);
        _statistics.Reserve(step.Samples);
        step.Team.Run(step.Samples, _forward);
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        _dy = dy;
        step.Team.Run(step.Samples, _sum);
        _totals.Reserve(step.Plan);
        for (int i = 0; i < step.Plan.Shards.Length; i++)
        {
            _statistics.Sums.Total(step.Plan.Shards[i], _totals[i]);
        }

        _affine.Reduce(step, _totals);
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
            _kernel.Forward(_x!.Block(n, block), _y!.Block(n, block), Constants(n, block), relu: false);
        }
    }

    private void SumSample(int n, int thread)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            _kernel.BackwardSums(
                _x!.Block(n, block), _dy!.Block(n, block), Constants(n, block), false,
                _statistics.Sums.First(n, block), _statistics.Sums.Second(n, block));
        }

        _statistics.SetBackward(n, _paddedGamma);
    }

    private void BackwardSample(int n, int thread)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            Span<float> dy = _dy!.Block(n, block);
            _kernel.Backward(_x!.Block(n, block), dy, dy, Constants(n, block), relu: false);
        }
    }

    private NormBlock Constants(int n, int block) => new(_statistics[n], _paddedGamma, _paddedBeta, block);
}
