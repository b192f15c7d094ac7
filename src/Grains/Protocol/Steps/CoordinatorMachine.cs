using System.Runtime.InteropServices;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// Decides each step: commit when everybody has reported finite values, else skip, and give up after three skips in a row.
/// Pure; not thread-safe.
/// </summary>
public sealed class CoordinatorMachine
{
    private const int MostSkipsInARow = 3;

    private readonly JobShape _job;
    private readonly ParameterLayout _layout;
    private readonly OptimizerSpec _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly double? _maxGradientNorm;
    private readonly StepFence _fence;
    private readonly PartitionReport?[] _partitions;
    private readonly int _partitionsWithBlocks;
    private readonly bool _hasBatchNorm;
    private BatchNormReport? _batchNorm;
    private WorkerReport?[] _workers = [];
    private DecidedStep? _last;
    private bool _isPaused;

    /// <param name="maxGradientNorm">Clip to this global norm, or null.</param>
    public CoordinatorMachine(
        JobShape job,
        ParameterLayout layout,
        OptimizerSpec optimizer,
        LearningRateSchedule schedule,
        double? maxGradientNorm,
        int partitions,
        bool hasBatchNorm,
        CoordinatorState state)
    {
        _job = job;
        _layout = layout;
        _optimizer = optimizer;
        _schedule = schedule;
        _maxGradientNorm = maxGradientNorm;
        _partitions = new PartitionReport?[partitions];
        _partitionsWithBlocks = Math.Min(partitions, layout.Blocks.Length);
        _hasBatchNorm = hasBatchNorm;
        _fence = new StepFence(job.TotalSteps);
        State = state;
    }

    public CoordinatorState State { get; private set; }

    public long Generation => _fence.Generation;

    /// <summary>Not null when training cannot go on.</summary>
    public string? Failure { get; private set; }

    /// <summary>
    /// The step at which a new generation starts, from the versions of all servers, asked for after <see cref="Pause"/>: the lowest,
    /// because what was staged of it is dropped. Null if they are more than one step apart or from another step than the coordinator's:
    /// only a checkpoint helps then.
    /// </summary>
    public long? FirstStepOf(IEnumerable<long> versions)
    {
        long lowest = versions.Append(State.Step).Min();
        long highest = versions.Append(State.Step).Max();
        return highest == State.Step && highest - lowest <= 1 ? lowest : null;
    }

    /// <summary>
    /// Decides nothing until the next generation begins. A change of workers starts with this, so that the servers' versions cannot
    /// move on while they are asked for: a commit on its way brings a server to <see cref="CoordinatorState.Step"/> at most.
    /// </summary>
    public void Pause() => _isPaused = true;

    /// <summary>Starts a generation and forgets what was reported of an undecided step. A decided one stays decided.</summary>
    public Answer Begin(Assignment assignment, long firstStep)
    {
        Answer answer = _fence.Begin(assignment, firstStep, State.Step);
        if (answer.Verdict == Verdict.Accepted)
        {
            _isPaused = false;
            _last?.RunAgain(assignment.Workers.Count);
            Forget();
        }

        return answer;
    }

    public CoordinatorAnswer Report(PartitionReport report)
    {
        if (_fence.Screen(report.Generation) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        int partition = report.Partition;
        int blocks = (uint)partition < (uint)_partitionsWithBlocks
            ? (_layout.Blocks.Length - partition + _partitions.Length - 1) / _partitions.Length
            : 0;
        int weights = _optimizer.NeedsWeightNorms ? blocks : 0;
        if (blocks == 0 || report.SquareSums.Length != blocks || report.WeightSquareSums.Length != weights)
        {
            return new CoordinatorAnswer(new Answer(
                Verdict.Rejected,
                $"partition {partition} reported {report.SquareSums.Length} and {report.WeightSquareSums.Length} block sums, " +
                $"but {blocks} and {weights} are expected"));
        }

        if (IsDecided(report.Step))
        {
            return SameSums(_last!.Partitions[partition]!, report)
                ? Again(() => _last.HasReport = true)
                : new CoordinatorAnswer(new Answer(
                    Verdict.Conflict,
                    $"partition {partition} has summed step {report.Step} again with other values than before the workers changed: " +
                    "a worker has computed or sent something else than the first time"));
        }

        if (_fence.ScreenStep(report.Step, State.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        if (_partitions[partition] is { } known)
        {
            bool same = SameSums(known, report);
            return new CoordinatorAnswer(same
                ? Verdict.Duplicate
                : new Answer(Verdict.Conflict, $"partition {partition} reported step {report.Step} twice with different sums"));
        }

        _partitions[partition] = report;
        return DecideIfComplete();
    }

    public CoordinatorAnswer Report(BatchNormReport report)
    {
        if (_fence.Screen(report.Generation) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        if (IsDecided(report.Step))
        {
            return Again(() => _last!.HasReport = true);
        }

        if (_fence.ScreenStep(report.Step, State.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        if (!_hasBatchNorm)
        {
            return new CoordinatorAnswer(new Answer(Verdict.Rejected, "a batch-norm report for a model without batch norms"));
        }

        if (_batchNorm is not null)
        {
            return new CoordinatorAnswer(Verdict.Duplicate);
        }

        _batchNorm = report;
        return DecideIfComplete();
    }

    public CoordinatorAnswer Report(WorkerReport report)
    {
        if (_fence.Screen(report.Header) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        int worker = report.Header.Worker;
        if (IsDecided(report.Header.Step))
        {
            return Again(() => _last!.Missing.Remove(worker));
        }

        if (_fence.ScreenStep(report.Header.Step, State.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        int roots = Nodes().RootsOf(worker).Length;
        if (report.Roots.Length != roots)
        {
            return new CoordinatorAnswer(new Answer(
                Verdict.Rejected,
                $"worker {_fence.WorkerName(worker)} reported {report.Roots.Length} roots of step {report.Header.Step}, but holds {roots}"));
        }

        if (_workers[worker] is { } known)
        {
            return new CoordinatorAnswer(Digest.Of(known.Roots) == Digest.Of(report.Roots)
                ? Verdict.Duplicate
                : new Answer(
                    Verdict.Conflict,
                    $"worker {_fence.WorkerName(worker)} reported step {report.Header.Step} twice with different losses"));
        }

        _workers[worker] = report;
        return DecideIfComplete();
    }

    private static bool SameSums(PartitionReport a, PartitionReport b) =>
        SameBits(a.SquareSums, b.SquareSums) && SameBits(a.WeightSquareSums, b.WeightSquareSums);

    private static bool SameBits(double[] a, double[] b) =>
        MemoryMarshal.AsBytes<double>(a).SequenceEqual(MemoryMarshal.AsBytes<double>(b));

    private StepNodes Nodes() => new(_job, _fence.Assignment!, State.Step);

    private void Forget()
    {
        Array.Clear(_partitions);
        _batchNorm = null;
        _workers = new WorkerReport?[_fence.Assignment!.Workers.Count];
    }

    /// <summary>True if the last decision was about this step and is still known.</summary>
    private bool IsDecided(long step) => _last is not null && step == State.Step - 1;

    /// <summary>
    /// Somebody has reported the step that is decided already. If this generation runs it again, the decision is told again once
    /// all workers are through: only then is it certain that none of their messages contradicts another.
    /// </summary>
    private CoordinatorAnswer Again(Action note)
    {
        note();
        bool tell = _last!.HasReport && _last.Missing.Count == 0;
        return new CoordinatorAnswer(
            Verdict.AlreadyApplied, Resend: tell ? _last.Decision with { Generation = Generation } : null, Failure: Failure);
    }

    private CoordinatorAnswer DecideIfComplete()
    {
        bool complete = _partitions.Take(_partitionsWithBlocks).All(report => report is not null)
            && _workers.All(report => report is not null)
            && (_batchNorm is not null || !_hasBatchNorm);
        return complete && Failure is null && !_isPaused ? Decide() : new CoordinatorAnswer(Verdict.Accepted, Failure: Failure);
    }

    private CoordinatorAnswer Decide()
    {
        long step = State.Step;
        double[] tensors = BlockTree.SumByTensor(_layout, Collect(report => report.SquareSums));
        double norm = Math.Sqrt(BlockTree.Sum(tensors));
        double rate = _schedule.RateOf(_optimizer.LearningRate, step, _job);
        Metrics batch = SumMetrics();
        NonFiniteSource? bad = FindNonFinite();
        if (bad is not null && State.SkipsInARow + 1 == MostSkipsInARow)
        {
            Failure = $"{MostSkipsInARow} steps in a row had values that are not finite; the last was step {step}: {bad}. " +
                "Lower the learning rate, warm it up, or clip the gradients.";
            return new CoordinatorAnswer(Verdict.Accepted, Failure: Failure);
        }

        State = bad is not null
            ? State with { Step = step + 1, SkipsInARow = State.SkipsInARow + 1 }
            : new CoordinatorState(step + 1, State.Updates + 1, 0, State.Epoch.Add(_job.EpochOf(step), batch));
        var decision = new StepDecision(Generation, step, bad is null ? Settle(tensors, norm, rate) : null);
        _last = new DecidedStep(decision, [.. _partitions]);
        string? warning = bad is null ? null : $"step {step} is skipped, because a value is not finite: {bad}";
        var outcome = new StepOutcome(decision, batch, rate, norm, State, warning);
        Forget();
        return new CoordinatorAnswer(Verdict.Accepted, outcome);
    }

    private StepSettings Settle(double[] tensors, double norm, double rate)
    {
        double clip = GradientClipping.Factor(norm, _maxGradientNorm);
        (double first, double secondRoot) = _optimizer.BiasCorrections(State.Updates);
        double[] tensorRates = [];
        if (_optimizer.NeedsWeightNorms)
        {
            double[] weights = BlockTree.SumByTensor(_layout, Collect(report => report.WeightSquareSums));
            tensorRates = new double[tensors.Length];
            for (int tensor = 0; tensor < tensors.Length; tensor++)
            {
                tensorRates[tensor] = _optimizer.TensorRate(
                    _layout.Tensors[tensor], Math.Sqrt(weights[tensor]), clip * Math.Sqrt(tensors[tensor]));
            }
        }

        return new StepSettings(rate, clip, first, secondRoot, tensorRates);
    }

    /// <summary>Block sums of all partitions by global block number.</summary>
    private double[] Collect(Func<PartitionReport, double[]> sums)
    {
        var blocks = new double[_layout.Blocks.Length];
        for (int block = 0; block < blocks.Length; block++)
        {
            blocks[block] = sums(_partitions[ParameterLayout.PartitionOf(block, _partitions.Length)]!)[block / _partitions.Length];
        }

        return blocks;
    }

    private Metrics SumMetrics()
    {
        StepNodes nodes = Nodes();
        var sum = new TreeCompletion<Metrics>(nodes.Tree, Metrics.Combine);
        for (int worker = 0; worker < _workers.Length; worker++)
        {
            foreach ((TreeNode node, Metrics metrics) in nodes.RootsOf(worker).Zip(_workers[worker]!.Roots))
            {
                sum.Offer(node, metrics);
            }
        }

        return sum.Result;
    }

    /// <summary>In the order of a step: loss, then batch norms, then gradients in the model's backward order of partitions.</summary>
    private NonFiniteSource? FindNonFinite()
    {
        WorkerReport? bad = _workers.FirstOrDefault(report => report!.Roots.Any(root => !double.IsFinite(root.LossSum)));
        return bad is not null
            ? new NonFiniteSource("the loss", _fence.WorkerName(bad.Header.Worker))
            : _batchNorm?.NonFinite ?? _partitions.Select(report => report?.NonFinite).FirstOrDefault(source => source is not null);
    }
}
