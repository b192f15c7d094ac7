using System.Runtime.InteropServices;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// Decides each step: commit when everybody has reported finite values, else skip or give up. A step
/// is committed when every server has taken its decision; the next one is decided only then, so that no server ever falls two
/// steps behind. Pure; not thread-safe.
/// </summary>
public sealed partial class CoordinatorMachine
{
    private readonly JobShape _job;
    private readonly ParameterLayout _layout;
    private readonly OptimizerSpec _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly double? _maxGradientNorm;
    private readonly int _partitions;
    private readonly int _partitionsWithBlocks;
    private readonly bool _hasBatchNorm;
    private readonly NonFinitePolicy _nonFinite;
    private readonly StepFence _fence;
    private readonly StepReports _reports;
    private DecidedStep? _last;
    private MessageHeader? _notifyAt;

    /// <summary>The largest number of steps that this generation was asked to tell of: a late repeat of an earlier order must not replace it.</summary>
    private long _notifyUntil;

    /// <param name="maxGradientNorm">Clip to this global norm, or null.</param>
    public CoordinatorMachine(
        JobShape job,
        ParameterLayout layout,
        OptimizerSpec optimizer,
        LearningRateSchedule schedule,
        double? maxGradientNorm,
        int partitions,
        bool hasBatchNorm,
        JobPosition position,
        NonFinitePolicy nonFinite = NonFinitePolicy.Skip)
    {
        _job = job;
        _layout = layout;
        _optimizer = optimizer;
        _schedule = schedule;
        _maxGradientNorm = maxGradientNorm;
        _partitions = partitions;
        _partitionsWithBlocks = Math.Min(partitions, layout.Blocks.Length);
        _hasBatchNorm = hasBatchNorm;
        _nonFinite = nonFinite;
        _fence = new StepFence(job.TotalSteps);
        _reports = new StepReports(layout, partitions, _partitionsWithBlocks, hasBatchNorm);
        Position = position;
        Committed = position;
    }

    /// <summary>After the last step that is decided.</summary>
    public JobPosition Position { get; private set; }

    /// <summary>After the last step that every server has taken: the same as <see cref="Position"/>, or one step before it.</summary>
    public JobPosition Committed { get; private set; }

    public long Generation => _fence.Generation;

    /// <summary>Not null when training cannot go on.</summary>
    public string? Failure { get; private set; }

    /// <summary>The number of the batch norms among the servers that take decisions, after the partitions.</summary>
    public int BatchNormServer => _partitions;

    /// <summary>
    /// Takes no report of a generation before the header's and decides nothing until that one begins. Says how many steps are decided: a
    /// server that missed the last decision before it was frozen is one step behind, and no other.
    /// </summary>
    public FrozenAt Freeze(MessageHeader header) => Answer(_fence.Freeze(header, Position.Step));

    /// <summary>
    /// Starts a generation and forgets what was reported of an undecided step, and when to notify. A decided step stays decided; one that
    /// nobody has to run again is with every server.
    /// </summary>
    /// <param name="asStandby">It follows the coordinator that serves, and may be at another step.</param>
    public CoordinatorAnswer Begin(Assignment assignment, bool asStandby = false)
    {
        if (asStandby)
        {
            return new CoordinatorAnswer(BeginAsStandby(assignment));
        }

        if (_fence.IsNext(assignment) && assignment.Start == AssignmentStart.GoOn && WhyLost() is { } lost)
        {
            return new CoordinatorAnswer(lost);
        }

        Answer answer = _fence.Begin(assignment, Position.Step);
        if (answer.Verdict != Verdict.Accepted)
        {
            return new CoordinatorAnswer(answer);
        }

        _notifyAt = null;
        _notifyUntil = 0;
        _isExamined = false;
        Forget();
        Serve(assignment);
        if (assignment.FirstStep == Position.Step)
        {
            _last?.AskAgain(Lagging(assignment));
        }
        else
        {
            _last?.RunAgain(assignment.Workers.Length);
        }

        return Settle(answer);
    }

    /// <summary>Asks to be told when the header's number of steps is committed.</summary>
    public CoordinatorAnswer NotifyAt(MessageHeader header)
    {
        if (_fence.Screen(header) is { } screened)
        {
            return new CoordinatorAnswer(screened);
        }

        if (header.Step < _notifyUntil)
        {
            return new CoordinatorAnswer(Verdict.Stale);
        }

        Answer answer = _notifyAt == header ? Verdict.Duplicate : Verdict.Accepted;
        _notifyAt = header;
        _notifyUntil = header.Step;
        return Settle(answer);
    }

    /// <summary>A server has taken a decision, now or before.</summary>
    /// <param name="server">Its partition, or <see cref="BatchNormServer"/>.</param>
    public CoordinatorAnswer Take(MessageHeader decision, int server)
    {
        if (!IsDecided(decision.Step) || (uint)server > (uint)CoordinatorServer)
        {
            return new CoordinatorAnswer(Verdict.Stale, Failure: Failure);
        }

        _last!.NoteTaken(server);
        return Settle(Verdict.Accepted);
    }

    public CoordinatorAnswer Report(PartitionReport report)
    {
        if (_fence.Screen(report.Header) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        int partition = report.Partition;
        int blocks = (uint)partition < (uint)_partitionsWithBlocks
            ? (_layout.Blocks.Length - partition + _partitions - 1) / _partitions
            : 0;
        int weights = _optimizer.NeedsWeightNorms ? blocks : 0;
        if (blocks == 0 || report.SquareSums.Length != blocks || report.WeightSquareSums.Length != weights)
        {
            return new CoordinatorAnswer(new Answer(
                Verdict.Rejected,
                $"partition {partition} reported {report.SquareSums.Length} and {report.WeightSquareSums.Length} block sums, " +
                $"but {blocks} and {weights} are expected."));
        }

        if (IsDecided(report.Header.Step))
        {
            // Of a decision of a coordinator that is lost the sums are not known, but what partitions have kept of it is compared all the same.
            return (_last!.ReportOf(partition) is { } before ? SameSums(before, report) : report.Disagreement is null)
                ? Again(_last.NoteServer)
                : ExamineAgain($"partition {partition}", report.Header.Step, report.Disagreement);
        }

        if (_fence.ScreenStep(report.Header.Step, Position.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        if (_reports.Partitions[partition] is { } known)
        {
            return new CoordinatorAnswer(SameSums(known, report)
                ? Verdict.Duplicate
                : new Answer(Verdict.Conflict, $"partition {partition} reported step {report.Header.Step} twice with different sums."));
        }

        _reports.Partitions[partition] = report;
        return Advanced(partition);
    }

    public CoordinatorAnswer Report(BatchNormReport report)
    {
        if (_fence.Screen(report.Header) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        if (IsDecided(report.Header.Step))
        {
            return (_last!.BatchNorm is { } before ? before == report.Sums : report.Disagreement is null)
                ? Again(_last.NoteServer)
                : ExamineAgain("batch norm", report.Header.Step, report.Disagreement);
        }

        if (_fence.ScreenStep(report.Header.Step, Position.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        if (!_hasBatchNorm)
        {
            return new CoordinatorAnswer(new Answer(Verdict.Rejected, "a batch-norm report for a model without batch norms."));
        }

        if (_reports.BatchNorm is not null)
        {
            return new CoordinatorAnswer(Verdict.Duplicate);
        }

        _reports.BatchNorm = report;
        return Advanced(BatchNormServer);
    }

    public CoordinatorAnswer Report(WorkerReport report)
    {
        if (_fence.ScreenWorker(report.Header) is { } screened)
        {
            return new CoordinatorAnswer(screened, Failure: Failure);
        }

        int worker = report.Header.Worker;
        if (IsDecided(report.Header.Step))
        {
            return Again(() => _last!.NoteWorker(worker));
        }

        if (_fence.ScreenStep(report.Header.Step, Position.Step) is { } late)
        {
            return new CoordinatorAnswer(late, Failure: Failure);
        }

        int roots = Nodes().RootsOf(worker).Length;
        if (report.Roots.Length != roots)
        {
            return new CoordinatorAnswer(new Answer(
                Verdict.Rejected,
                $"worker {_fence.WorkerName(worker)} reported {report.Roots.Length} roots of step {report.Header.Step}, but holds {roots}."));
        }

        if (_reports.Workers[worker] is { } known)
        {
            return new CoordinatorAnswer(Digest.Of(known.Roots) == Digest.Of(report.Roots)
                ? Verdict.Duplicate
                : new Answer(
                    Verdict.Conflict,
                    $"worker {_fence.WorkerName(worker)} reported step {report.Header.Step} twice with different losses."));
        }

        _reports.Workers[worker] = report;
        return Settle(Verdict.Accepted);
    }

    private static bool SameSums(PartitionReport a, PartitionReport b) =>
        SameBits(a.SquareSums, b.SquareSums) && SameBits(a.WeightSquareSums, b.WeightSquareSums);

    private static bool SameBits(double[] a, double[] b) =>
        MemoryMarshal.AsBytes<double>(a).SequenceEqual(MemoryMarshal.AsBytes<double>(b));

    private StepNodes Nodes() => new(_job, _fence.Assignment!, Position.Step);

    private void Forget() => _reports.Clear(_fence.Assignment!.Workers.Length);

    /// <summary>True if the last decision was about this step and is still known.</summary>
    private bool IsDecided(long step) => _last is not null && step == Position.Step - 1;

    private bool Sums(int server) => server < _partitionsWithBlocks || server == BatchNormServer;

    /// <summary>Somebody has reported the step that is decided already: this generation runs it again.</summary>
    private CoordinatorAnswer Again(Action note)
    {
        note();
        return Settle(Verdict.AlreadyApplied);
    }

    /// <summary>A server has reported the open step, so it has taken the decision about the one before.</summary>
    private CoordinatorAnswer Advanced(int server)
    {
        _last?.NoteTaken(server);
        return Settle(Verdict.Accepted);
    }

    /// <summary>Draws the conclusions from what has changed: commits, notifies, tells again, decides.</summary>
    private CoordinatorAnswer Settle(Answer answer)
    {
        StepOutcome? committed = null;
        if (_last is { IsCommitted: true } taken && Committed.Step < Position.Step)
        {
            committed = taken.Outcome;
            Committed = Position;
        }

        MessageHeader? due = null;
        if (Committed.Step >= _notifyAt?.Step)
        {
            due = _notifyAt;
            _notifyAt = null;
        }

        StepDecision? resend = !_isExamined && _last is { } last && last.TakeTellingAgain(Sums)
            ? last.Decision with { Header = _fence.Assignment!.HeaderOf(last.Decision.Step), IsToldAgain = true }
            : null;
        bool mayDecide = Failure is null && !_fence.IsFrozen && !_isExamined && Committed.Step == Position.Step;
        if (!mayDecide || Position.Step >= _job.TotalSteps || !_reports.IsComplete)
        {
            return new CoordinatorAnswer(answer, committed, null, resend, due, Failure);
        }

        NonFiniteSource? bad = _reports.FindNonFinite(Nodes(), _fence.WorkerName);
        StepFinding? finding = Examine(bad);
        _isExamined = finding is not null;
        StepOutcome? decided = finding is null && Failure is null ? Decide(bad) : null;
        return new CoordinatorAnswer(answer, committed, decided, resend, due, Failure, finding);
    }

    /// <returns>Null if the job fails with this step.</returns>
    private StepOutcome? Decide(NonFiniteSource? bad)
    {
        long step = Position.Step;
        double[] squares = _reports.SumByTensor(report => report.SquareSums);
        double norm = Math.Sqrt(BlockTree.Sum(squares));
        double rate = _schedule.RateOf(_optimizer.LearningRate, step, _job);
        Metrics batch = _reports.SumMetrics(Nodes());
        if (bad is not null && WhyEnd(bad) is { } failure)
        {
            Failure = failure;
            return null;
        }

        Position = bad is not null
            ? Position with { Step = step + 1, SkipsInARow = Position.SkipsInARow + 1 }
            : new JobPosition(step + 1, Position.Updates + 1, 0, Position.Epoch.Add(_job.EpochOf(step), batch));
        string? warning = bad is null ? null : $"step {step} is skipped, because a value is not finite: {bad}";
        var decision = new StepDecision(
            _fence.Assignment!.HeaderOf(step),
            bad is null ? SettingsOf(squares, norm, rate) : null,
            new StepNumbers(batch, rate, norm, Position, warning));
        var outcome = new StepOutcome(decision, batch, rate, norm, Position, warning);
        _last = new DecidedStep(outcome, [.. _reports.Partitions], _reports.BatchNorm?.Sums ?? default, Takers());
        Forget();
        ForgetSuspects();
        return outcome;
    }

    private StepSettings SettingsOf(double[] squares, double norm, double rate)
    {
        double clip = GradientClipping.Factor(norm, _maxGradientNorm);
        (double first, double secondRoot) = _optimizer.BiasCorrections(Position.Updates);
        double[] tensorRates = [];
        if (_optimizer.NeedsWeightNorms)
        {
            double[] weights = _reports.SumByTensor(report => report.WeightSquareSums);
            tensorRates = [.. squares.Select((square, tensor) => _optimizer.TensorRate(
                _layout.Tensors[tensor], Math.Sqrt(weights[tensor]), clip * Math.Sqrt(square)))];
        }

        return new StepSettings(rate, clip, first, secondRoot, tensorRates);
    }
}
