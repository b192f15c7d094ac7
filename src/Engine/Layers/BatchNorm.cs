using ConvNet.Engine.Kernels;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>
/// Per channel over all samples and pixels of the global batch: y = γ(x − μ)/√(σ² + ε) + β with the biased variance σ².
/// Goes after a convolution or fully connected layer and before the nonlinearity.
/// </summary>
public sealed record BatchNormSpec : LayerSpec
{
    public override Shape OutputShape(Shape input, string name) => input;

    internal override Layer Build(ModelBuilder builder, string name, Shape input) =>
        new BatchNorm(name, builder.NextLayer(), builder.NextBatchNorm(), input, builder.BatchNormMode);
}

/// <summary>
/// Batch norm whose statistics span workers: leaves are (count, mean, M2) of one data shard in double, combined over the tree of
/// shards (Chan, Golub, LeVeque). In training x̂ = ((x − μ_hi) − μ_lo)·invstd, never a pre-multiplied scale and shift.
/// Source: Ioffe, Szegedy, "Batch Normalization" (2015).
/// </summary>
public sealed class BatchNorm : Layer
{
    public const double Epsilon = 1e-5;

    private readonly int _norm;
    private readonly BatchNormMode _mode;
    private readonly Parameter _gamma;
    private readonly Parameter _beta;
    private readonly ChannelSums _sums;
    private readonly GradientTree _tree = new();
    private BatchNormState _running;
    private Activation? _x;
    private Activation? _y;
    private Activation? _pooled;
    private Activation? _dx;
    private Activation? _measured;

    /// <summary>One set of constants per group of samples that share statistics, and the group of each sample.</summary>
    private NormConstants[] _groups = [];

    private long[] _counts = [];
    private int[] _groupOfSample = [];
    private float[] _paddedGamma = [];
    private float[] _paddedBeta = [];

    internal BatchNorm(string name, int index, int norm, Shape shape, BatchNormMode mode)
        : base(name, index, shape, shape)
    {
        _norm = norm;
        _mode = mode;
        bool delivered = mode == BatchNormMode.Sync;
        _gamma = new Parameter($"{name}.weight", [shape.C], ParameterRole.Scale, index, 0, 1, 1, delivered);
        _beta = new Parameter($"{name}.bias", [shape.C], ParameterRole.Shift, index, 1, 1, 1, delivered);
        _sums = new ChannelSums(shape);
        _running = BatchNormState.Initial(name, shape.C);
        Parameters = [_gamma, _beta];
    }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => 4L * Output.Count;

    /// <summary>
    /// True if evaluation folds this layer into the convolution before it. That convolution's output is then read by this layer
    /// alone, and backward may overwrite it.
    /// </summary>
    internal bool IsFolded { get; set; }

    /// <summary>True if a ReLU follows, which the fast kernels apply in the same pass.</summary>
    internal bool FeedsReLU { get; set; }

    /// <summary>The 2×2 pooling after that ReLU, which the fast kernels apply in the same pass when they train.</summary>
    internal MaxPool? FeedsPool { get; set; }

    /// <summary>Takes over the running statistics for evaluation.</summary>
    public void LoadStatistics(BatchNormState state) => _running = state;

    /// <summary>True if this layer's output has gone through the ReLU that follows it.</summary>
    internal bool Applies(StepContext step) => FeedsReLU && step.Kernels == KernelSet.Fast && (step.Training || !IsFolded);

    /// <summary>True if this layer's output has also gone through the pooling after the ReLU.</summary>
    internal bool Pools(StepContext step) => FeedsPool is not null && step.Training && Applies(step);

    /// <summary>
    /// What the layer before may call for each sample of its output <paramref name="x"/> while the sample is in cache, so that this
    /// layer need not read it for its moments. Null if there is nothing to measure.
    /// </summary>
    internal Action<int>? Measures(Activation x, StepContext step)
    {
        if (!step.Training)
        {
            return null;
        }

        _measured = x;
        _sums.Reserve(step.Samples);
        return n => MeasureSample(x, n, step);
    }

    /// <summary>Evaluation as y = scale·x + shift.</summary>
    internal (double Scale, double Shift) EvaluationAffine(int channel)
    {
        double scale = _gamma.Values[channel] / Math.Sqrt(_running.RunningVar[channel] + Epsilon);
        return (scale, _beta.Values[channel] - _running.RunningMean[channel] * scale);
    }

    public override void Load(StepContext step)
    {
        int padded = Output.Blocks * 8;
        Array.Resize(ref _paddedGamma, padded);
        Array.Resize(ref _paddedBeta, padded);
        _gamma.Values.AsSpan(0, Output.C).CopyTo(_paddedGamma);
        _beta.Values.AsSpan(0, Output.C).CopyTo(_paddedBeta);
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!step.Training && IsFolded)
        {
            return x;
        }

        _x = x;
        if (step.Training)
        {
            MeasureBatch(x, step);
        }
        else
        {
            ReserveGroups(1, step.Samples);
            _groupOfSample.AsSpan(0, step.Samples).Clear();
            for (int c = 0; c < Output.C; c++)
            {
                _groups[0].Set(c, _running.RunningMean[c], _running.RunningVar[c], Epsilon);
            }
        }

        NormalizationKernel kernel = NormalizationKernel.For(step.Kernels);
        bool relu = Applies(step);
        bool pool = Pools(step);
        Activation y = pool ? Reserve(ref _pooled, FeedsPool!.Output, x.Capacity) : Reserve(ref _y, Output, x.Capacity);
        int blocks = Output.Blocks;
        step.Team.Run(step.Samples * blocks, (item, _) =>
        {
            int n = item / blocks;
            int block = item % blocks;
            var channels = new NormBlock(_groups[_groupOfSample[n]], _paddedGamma, _paddedBeta, block);
            if (pool)
            {
                PooledNormalization.Forward(x.Block(n, block), y.Block(n, block), y.Shape.W, channels);
            }
            else
            {
                kernel.Forward(x.Block(n, block), y.Block(n, block), channels, relu);
            }
        });
        return y;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        NormalizationKernel kernel = NormalizationKernel.For(step.Kernels);
        bool relu = Applies(step);
        bool pool = Pools(step);
        Activation x = _x!;
        int blocks = Output.Blocks;
        _sums.Reserve(step.Samples);
        step.Team.Run(step.Samples * blocks, (item, _) =>
        {
            int n = item / blocks;
            int block = item % blocks;
            var channels = new NormBlock(_groups[_groupOfSample[n]], _paddedGamma, _paddedBeta, block);
            Span<double> sumDy = _sums.First(n, block), sumDyXhat = _sums.Second(n, block);
            if (pool)
            {
                PooledNormalization.BackwardSums(x.Block(n, block), dy.Block(n, block), dy.Shape.W, channels, sumDy, sumDyXhat);
            }
            else
            {
                kernel.BackwardSums(x.Block(n, block), dy.Block(n, block), channels, relu, sumDy, sumDyXhat);
            }
        });
        var leaves = new BackwardSums[step.Plan.Shards.Length];
        step.Team.Run(leaves.Length, (i, _) => leaves[i] = _sums.Total(step.Plan.Shards[i]));
        BackwardSums[] totals = _mode == BatchNormMode.Sync ? [SynchronizedTotal(leaves, step)] : leaves;
        if (_mode == BatchNormMode.Shard)
        {
            _tree.Reduce(_beta, step, i => leaves[i].Dy);
            _tree.Reduce(_gamma, step, i => leaves[i].DyXhat);
        }

        if (!needsInputGradient)
        {
            return null;
        }

        for (int group = 0; group < totals.Length; group++)
        {
            for (int c = 0; c < Output.C; c++)
            {
                double gamma = _paddedGamma[c];
                _groups[group].SetBackward(
                    c, gamma, gamma * totals[group].Dy[c] / _counts[group], gamma * totals[group].DyXhat[c] / _counts[group]);
            }
        }

        Activation dx = !pool ? dy : IsFolded ? x : Reserve(ref _dx, Output, x.Capacity);
        step.Team.Run(step.Samples * blocks, (item, _) =>
        {
            int n = item / blocks;
            int block = item % blocks;
            var channels = new NormBlock(_groups[_groupOfSample[n]], _paddedGamma, _paddedBeta, block);
            if (pool)
            {
                PooledNormalization.Backward(x.Block(n, block), dy.Block(n, block), dx.Block(n, block), dy.Shape.W, channels);
            }
            else
            {
                kernel.Backward(x.Block(n, block), dy.Block(n, block), channels, relu);
            }
        });
        return dx;
    }

    /// <summary>Fills the constants with the statistics of the batch, or of each shard.</summary>
    private void MeasureBatch(Activation x, StepContext step)
    {
        ShardPlan plan = step.Plan;
        if (!ReferenceEquals(x, _measured))
        {
            _sums.Reserve(step.Samples);
            step.Team.Run(step.Samples, (n, _) => MeasureSample(x, n, step));
        }

        _measured = null;
        var leaves = new Moments[plan.Shards.Length];
        step.Team.Run(leaves.Length, (i, _) => leaves[i] = _sums.Merge(plan.Shards[i]));
        Moments[] roots = ShardReduction.Roots(plan, i => leaves[i], Moments.Combine);
        if (_mode == BatchNormMode.Sync)
        {
            ReserveGroups(1, step.Samples);
            SetGroup(0, step.Exchange.ReduceMoments(_norm, roots));
            return;
        }

        step.Exchange.ReportMoments(_norm, roots);
        ReserveGroups(leaves.Length, step.Samples);
        for (int i = 0; i < leaves.Length; i++)
        {
            SetGroup(i, leaves[i]);
            _groupOfSample.AsSpan(plan.Shards[i].First, plan.Shards[i].Count).Fill(i);
        }
    }

    private void MeasureSample(Activation x, int n, StepContext step)
    {
        NormalizationKernel kernel = NormalizationKernel.For(step.Kernels);
        for (int block = 0; block < Output.Blocks; block++)
        {
            kernel.Moments(x.Block(n, block), _sums.First(n, block), _sums.Second(n, block));
        }
    }

    private void SetGroup(int group, Moments moments)
    {
        _counts[group] = moments.Count;
        for (int c = 0; c < Output.C; c++)
        {
            _groups[group].Set(c, moments.Mean[c], moments.M2[c] / moments.Count, Epsilon);
        }
    }

    private void ReserveGroups(int groups, int samples)
    {
        if (_groups.Length < groups)
        {
            _groups = [.. Enumerable.Range(0, groups).Select(_ => new NormConstants(Output.Blocks * 8))];
            _counts = new long[groups];
        }

        if (_groupOfSample.Length < samples)
        {
            _groupOfSample = new int[samples];
        }
    }

    private BackwardSums SynchronizedTotal(BackwardSums[] leaves, StepContext step) =>
        step.Exchange.ReduceBackwardSums(_norm, ShardReduction.Roots(step.Plan, i => leaves[i], BackwardSums.Combine));
}
