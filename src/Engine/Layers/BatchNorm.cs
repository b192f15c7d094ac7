using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Layers;

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
    private readonly BatchConstants _constants;
    private readonly ChannelSums _sums;
    private readonly ShardReduction<Moments> _moments;
    private readonly ShardReduction<BackwardSums> _totals;
    private readonly AffineGradients _affine;
    private readonly Action<int> _measureSample;
    private readonly Action<int> _sumSample;
    private readonly Action<int, int> _measureItem;
    private readonly Action<int, int> _mergeShard;
    private readonly Action<int, int> _forwardSample;
    private readonly Action<int, int> _sumItem;
    private readonly Action<int, int> _totalShard;
    private readonly Action<int, int> _backwardSample;
    private BatchNormState _running;
    private Activation? _own;
    private Activation? _pooled;
    private Activation? _winners;
    private Activation? _ownGradient;

    // Of the pass in progress; backward finds what forward left.
    private NormalizationKernel _kernel = null!;
    private ShardPlan _plan = null!;
    private Activation _x = null!;
    private Activation _y = null!;
    private Activation _dy = null!;
    private Activation _dx = null!;
    private Activation? _measured;
    private Activation? _summed;
    private Action<int>? _reader;
    private bool _relu;
    private bool _pool;

    internal BatchNorm(string name, int index, int norm, Shape shape, BatchNormMode mode)
        : base(name, index, shape, shape)
    {
        _norm = norm;
        _mode = mode;
        bool delivered = mode == BatchNormMode.Sync;
        _gamma = new Parameter($"{name}.weight", [shape.C], ParameterRole.Scale, index, 0, 1, 1, delivered);
        _beta = new Parameter($"{name}.bias", [shape.C], ParameterRole.Shift, index, 1, 1, 1, delivered);
        _affine = new AffineGradients(_gamma, _beta);
        Parameters = [_gamma, _beta];
        _running = BatchNormState.Initial(name, shape.C);
        _constants = new BatchConstants(shape);
        _sums = new ChannelSums(shape);
        _moments = new ShardReduction<Moments>(() => new Moments(0, new double[shape.C], new double[shape.C]), Moments.Absorb);
        _totals = new ShardReduction<BackwardSums>(() => new BackwardSums(new double[shape.C], new double[shape.C]), BackwardSums.Absorb);
        _measureSample = Measure;
        _measureItem = (n, _) => Measure(n);
        _mergeShard = (shard, _) => _sums.Merge(_plan.Shards[shard], _moments[shard]);
        _forwardSample = ForwardSample;
        _sumSample = Sum;
        _sumItem = (n, _) => Sum(n);
        _totalShard = (shard, _) => _sums.Total(_plan.Shards[shard], _totals[shard]);
        _backwardSample = BackwardSample;
    }

    public override IReadOnlyList<Parameter> Parameters { get; }

    public override long Flops => 4L * Output.Count;

    /// <summary>
    /// True if evaluation folds this layer into the convolution before it. That convolution's output is then read by this layer
    /// alone, and backward overwrites it with its gradient.
    /// </summary>
    internal bool IsFolded { get; set; }

    /// <summary>Its place among the model's batch norms, in forward order.</summary>
    internal int Norm => _norm;

    internal BatchNormMode Mode => _mode;

    /// <summary>The running statistics that evaluation uses.</summary>
    internal BatchNormState Running => _running;

    /// <summary>True if a ReLU follows, which the fast kernels apply in the same pass.</summary>
    internal bool FeedsReLU { get; set; }

    /// <summary>The 2×2 pooling after that ReLU, which the fast kernels apply in the same pass when they train.</summary>
    internal MaxPool? FeedsPool { get; set; }

    /// <summary>
    /// True if the sum of a residual block follows, which normalizes within its own pass when the fast kernels train: the output of
    /// this layer is then its input, as it is. Such a layer <see cref="IsFolded"/>.
    /// </summary>
    internal bool FeedsSum { get; set; }

    /// <summary>Takes over the running statistics for evaluation.</summary>
    public void LoadStatistics(BatchNormState state) => _running = state;

    /// <summary>True if this layer's output has gone through the ReLU that follows it.</summary>
    internal bool Applies(StepContext step) => FeedsReLU && step.Kernels == KernelSet.Fast && (step.Training || !IsFolded);

    /// <summary>True if this layer's output has also gone through the pooling after the ReLU.</summary>
    internal bool Pools(StepContext step) => FeedsPool is not null && step.Training && Applies(step);

    /// <summary>The constants of the pass in progress.</summary>
    internal NormBlock Constants(int n, int block) => _constants[n, block];

    /// <summary>Evaluation as y = scale·x + shift.</summary>
    internal (double Scale, double Shift) EvaluationAffine(int channel)
    {
        double scale = _gamma.Values[channel] / Math.Sqrt(_running.RunningVar[channel] + Epsilon);
        return (scale, _beta.Values[channel] - _running.RunningMean[channel] * scale);
    }

    public override void Load(StepContext step) => _constants.Load(_gamma.Values, _beta.Values);

    internal override void Share(Layer loaded, StepContext step)
    {
        LoadStatistics(((BatchNorm)loaded)._running);
        base.Share(loaded, step);
    }

    /// <summary>In training the moments; a folded layer leaves the samples to what follows it.</summary>
    internal override Action<int>? ReadInput(Activation x, StepContext step)
    {
        if (step.Training)
        {
            PrepareMeasure(x, step);
            _measured = x;
            return _measureSample;
        }

        return IsFolded ? OutputReader?.Invoke(x, step) : null;
    }

    public override Activation Forward(Activation x, StepContext step)
    {
        if (!step.Training && IsFolded)
        {
            return x;
        }

        _x = x;
        _kernel = NormalizationKernel.For(step.Kernels);
        _relu = Applies(step);
        _pool = Pools(step);
        if (step.Training)
        {
            MeasureBatch(x, step);
        }
        else
        {
            _constants.Reserve(1, step.Samples);
            _constants.Set(_running);
        }

        if (FeedsSum && step.Kernels == KernelSet.Fast)
        {
            return x;
        }

        _y = _pool ? Reserve(ref _pooled, FeedsPool!.Output, x.Capacity) : ReserveOutput(ref _own, x.Capacity, step);
        if (_pool)
        {
            Reserve(ref _winners, FeedsPool!.Output, x.Capacity);
        }

        _reader = OutputReader?.Invoke(_y, step);
        step.Team.Run(step.Samples, _forwardSample);
        return _y;
    }

    /// <summary>The backward sums.</summary>
    internal override Action<int>? ReadGradient(Activation dy, StepContext step)
    {
        _sums.Reserve(step.Samples);
        _dy = dy;
        _summed = dy;
        return _sumSample;
    }

    public override Activation? Backward(Activation dy, StepContext step, bool needsInputGradient)
    {
        if (!ReferenceEquals(dy, _summed))
        {
            ReadGradient(dy, step);
            step.Team.Run(step.Samples, _sumItem);
        }

        _summed = null;
        _plan = step.Plan;
        _totals.Reserve(step.Plan);
        step.Team.Run(step.Plan.Shards.Length, _totalShard);
        if (_mode == BatchNormMode.Sync)
        {
            _constants.SetBackward(0, step.Exchange.ReduceBackwardSums(_norm, _totals.Reduce(step.Plan)));
        }
        else
        {
            ReduceShardTotals(step);
        }

        if (!needsInputGradient)
        {
            return null;
        }

        _dx = IsFolded ? _x : _pool ? Reserve(ref _ownGradient, Output, _x.Capacity) : dy;
        step.Team.Run(step.Samples, _backwardSample);
        return _dx;
    }

    /// <summary>Fills the constants with the statistics of the batch, or of each shard.</summary>
    private void MeasureBatch(Activation x, StepContext step)
    {
        if (!ReferenceEquals(x, _measured))
        {
            PrepareMeasure(x, step);
            step.Team.Run(step.Samples, _measureItem);
        }

        _measured = null;
        ShardPlan plan = _plan = step.Plan;
        _moments.Reserve(plan);
        step.Team.Run(plan.Shards.Length, _mergeShard);
        if (_mode == BatchNormMode.Sync)
        {
            _constants.Reserve(1, step.Samples);
            _constants.Set(0, step.Exchange.ReduceMoments(_norm, _moments.Reduce(plan)));
            return;
        }

        _constants.Reserve(plan.Shards.Length, step.Samples);
        for (int i = 0; i < plan.Shards.Length; i++)
        {
            _constants.Set(i, _moments[i]);
            _constants.Assign(i, plan.Shards[i]);
        }

        step.Exchange.ReportMoments(_norm, _moments.Reduce(plan));
    }

    /// <summary>Ghost batch norm: each shard has its own sums, and dγ and dβ are ordinary gradients.</summary>
    private void ReduceShardTotals(StepContext step)
    {
        for (int i = 0; i < step.Plan.Shards.Length; i++)
        {
            _constants.SetBackward(i, _totals[i]);
        }

        _affine.Reduce(step, _totals);
    }

    private void PrepareMeasure(Activation x, StepContext step)
    {
        _kernel = NormalizationKernel.For(step.Kernels);
        _sums.Reserve(step.Samples);
        _x = x;
    }

    private void Measure(int n)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            _kernel.Moments(_x.Block(n, block), _sums.First(n, block), _sums.Second(n, block));
        }
    }

    private void ForwardSample(int n, int thread)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            if (_pool)
            {
                PooledNormalization.Forward(_x.Block(n, block), _y.Block(n, block), _winners!.Block(n, block), _y.Shape.W, _constants[n, block]);
            }
            else
            {
                _kernel.Forward(_x.Block(n, block), _y.Block(n, block), _constants[n, block], _relu);
            }
        }

        _reader?.Invoke(n);
    }

    private void Sum(int n)
    {
        Activation x = _pool ? _winners! : _x;
        for (int block = 0; block < Output.Blocks; block++)
        {
            _kernel.BackwardSums(
                x.Block(n, block), _dy.Block(n, block), _constants[n, block], _relu, _sums.First(n, block), _sums.Second(n, block));
        }
    }

    private void BackwardSample(int n, int thread)
    {
        for (int block = 0; block < Output.Blocks; block++)
        {
            if (_pool)
            {
                PooledNormalization.Backward(
                    _x.Block(n, block), _dy.Block(n, block), _dx.Block(n, block), _dy.Shape.W, _constants[n, block]);
            }
            else
            {
                _kernel.Backward(_x.Block(n, block), _dy.Block(n, block), _dx.Block(n, block), _constants[n, block], _relu);
            }
        }
    }
}
