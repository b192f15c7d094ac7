using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>
/// Sums batch-norm moments and backward sums over the tree of shards, and owns the running statistics, which follow the batches
/// at commit. Pure; not thread-safe.
/// <para>
/// A step's sums can begin before the commit of the step before has arrived here: a worker may have seen it elsewhere already.
/// A step that is committed here and is run again for the sake of others is summed again, but moves no statistics.
/// </para>
/// </summary>
public sealed class BatchNormMachine
{
    private readonly JobShape _job;
    private readonly BatchNormMode _mode;
    private readonly RunningAverage _average;
    private readonly StepFence _fence;
    private BatchNormState[] _statistics;
    private NormStep? _previous;
    private NormStep? _current;
    private BatchNormReport? _complete;

    /// <param name="statistics">One for each batch norm, in forward order; at least one.</param>
    /// <param name="version">Steps that are committed.</param>
    /// <param name="batchesSeen">Steps that moved the statistics: those that were not skipped.</param>
    public BatchNormMachine(
        JobShape job,
        BatchNormMode mode,
        RunningAverage average,
        IReadOnlyList<BatchNormState> statistics,
        long version,
        long batchesSeen)
    {
        _job = job;
        _mode = mode;
        _average = average;
        _statistics = [.. statistics];
        _fence = new StepFence(job.TotalSteps);
        Version = version;
        BatchesSeen = batchesSeen;
    }

    public long Version { get; private set; }

    public long BatchesSeen { get; private set; }

    public long Generation => _fence.Generation;

    /// <summary>Running statistics of the newest version, in forward order.</summary>
    public IReadOnlyList<BatchNormState> Statistics => _statistics;

    /// <summary>
    /// Set when the sums of the step in progress are complete, until the next step begins. Held back while the commit of the step
    /// before is on its way, so that no server ever falls two steps behind: look after a commit, too.
    /// </summary>
    public BatchNormReport? Report => _complete?.Step <= Version ? _complete : null;

    /// <summary>Starts a generation and drops all sums of a step in progress. Whoever waits for a total must be told to start again.</summary>
    public Answer Begin(Assignment assignment, long firstStep)
    {
        Answer answer = _fence.Begin(assignment, firstStep, Version);
        if (answer.Verdict == Verdict.Accepted)
        {
            _previous = null;
            _current = firstStep < _job.TotalSteps ? NewStep(firstStep) : null;
            _complete = null;
        }

        return answer;
    }

    /// <summary>Takes a worker's moments of one norm, one for each root of its plan. The records are kept, so they must not change.</summary>
    public ReduceAnswer<Moments> ReduceMoments(MessageHeader header, int norm, IReadOnlyList<Moments> roots)
    {
        if (Find(header, out NormStep? step) is { } screened)
        {
            return new ReduceAnswer<Moments>(screened, null, false);
        }

        string? complaint = WhyInvalid(step!, header, norm, roots.Count)
            ?? (roots.All(root => root.Mean.Length == Channels(norm) && root.M2.Length == Channels(norm) && root.Count > 0)
                ? null
                : $"moments that are not {Channels(norm)} channels of at least one value");
        return complaint is null
            ? Offer(step!, step!.Forward[norm], header, norm, roots, Digest.Of(roots), backward: false, IsFinite)
            : Rejected<Moments>(header, norm, complaint);
    }

    /// <summary>Takes a worker's backward sums of one norm, one for each root of its plan. Synchronized batch norm only.</summary>
    public ReduceAnswer<BackwardSums> ReduceBackwardSums(MessageHeader header, int norm, IReadOnlyList<BackwardSums> roots)
    {
        if (Find(header, out NormStep? step) is { } screened)
        {
            return new ReduceAnswer<BackwardSums>(screened, null, false);
        }

        string? complaint = _mode != BatchNormMode.Sync
            ? "backward sums, but in ghost batch norm they travel as gradients"
            : WhyInvalid(step!, header, norm, roots.Count)
                ?? (roots.All(root => root.Dy.Length == Channels(norm) && root.DyXhat.Length == Channels(norm))
                    ? null
                    : $"backward sums that are not {Channels(norm)} channels");
        return complaint is null
            ? Offer(step!, step!.Backward[norm], header, norm, roots, Digest.Of(roots), backward: true, IsFinite)
            : Rejected<BackwardSums>(header, norm, complaint);
    }

    /// <summary>Moves the running statistics, or leaves them as they are for a skipped step. Told again, it does nothing.</summary>
    public Answer Commit(StepDecision decision)
    {
        if (_fence.Screen(decision.Generation) is { } screened)
        {
            return screened;
        }

        if (decision.Step < Version)
        {
            return Verdict.AlreadyApplied;
        }

        if (decision.Step > Version)
        {
            return Verdict.Future;
        }

        NormStep? step = _current?.Step == decision.Step ? _current : _previous;
        if (step is null || step.Step != decision.Step || !step.IsComplete)
        {
            return new Answer(Verdict.Rejected, $"batch norm was told to commit step {decision.Step}, but its sums are not complete");
        }

        if (!decision.IsSkip)
        {
            _statistics = [.. _statistics.Select((state, norm) =>
                BatchNormStatistics.Update(state, step.Forward[norm].Total!, _average, BatchesSeen))];
            BatchesSeen++;
        }

        Version++;
        return Verdict.Accepted;
    }

    private static bool IsFinite(Moments root) => root.Mean.All(double.IsFinite) && root.M2.All(double.IsFinite);

    private static bool IsFinite(BackwardSums root) => root.Dy.All(double.IsFinite) && root.DyXhat.All(double.IsFinite);

    private int Channels(int norm) => _statistics[norm].RunningMean.Length;

    private NormStep NewStep(long step) =>
        new(step, new StepNodes(_job, _fence.Assignment!, step), _statistics.Length, _mode == BatchNormMode.Sync);

    /// <summary>The sums of the message's step; begins the next step when the one in progress is complete.</summary>
    private Answer? Find(MessageHeader header, out NormStep? step)
    {
        step = null;
        if (_fence.Screen(header) is { } screened)
        {
            return screened;
        }

        // Not before the step in front of the one in progress is committed here: its sums are still needed.
        bool mayBegin = _current is { IsComplete: true } && Version >= _current.Step && header.Step < _job.TotalSteps;
        if (mayBegin && header.Step == _current!.Step + 1)
        {
            _previous = _current;
            _current = NewStep(header.Step);
            _complete = null;
        }

        long open = _current?.Step ?? _job.TotalSteps;
        step = header.Step == open ? _current : header.Step == open - 1 ? _previous : null;
        return step is not null ? null : header.Step < open ? Verdict.Stale : _fence.ScreenStep(header.Step, open);
    }

    private string? WhyInvalid(NormStep step, MessageHeader header, int norm, int roots)
    {
        if ((uint)norm >= (uint)_statistics.Length)
        {
            return $"sums of a norm that does not exist: there are {_statistics.Length}";
        }

        int expected = step.Nodes.RootsOf(header.Worker).Length;
        return roots == expected ? null : $"{roots} roots, but holds {expected}";
    }

    private ReduceAnswer<T> Rejected<T>(MessageHeader header, int norm, string complaint)
        where T : class =>
        new(
            new Answer(Verdict.Rejected, $"worker {_fence.WorkerName(header.Worker)} sent batch norm {norm} of step {header.Step} {complaint}"),
            null,
            false);

    private ReduceAnswer<T> Offer<T>(
        NormStep step,
        NormSum<T> sum,
        MessageHeader header,
        int norm,
        IReadOnlyList<T> roots,
        UInt128 digest,
        bool backward,
        Func<T, bool> isFinite)
        where T : class
    {
        Verdict verdict = sum.Offer(header.Worker, step.Nodes.RootsOf(header.Worker), roots, digest);
        if (verdict == Verdict.Conflict)
        {
            string direction = backward ? "backward" : "forward";
            return new ReduceAnswer<T>(
                new Answer(
                    verdict,
                    $"worker {_fence.WorkerName(header.Worker)} sent batch norm {_statistics[norm].Name} of step {header.Step}, {direction}, " +
                    "twice with different bytes"),
                null,
                false);
        }

        bool completes = verdict == Verdict.Accepted && sum.Total is not null;
        if (verdict == Verdict.Accepted && !roots.All(isFinite))
        {
            step.NoteNonFinite(backward, norm, header.Worker);
        }

        if (completes)
        {
            step.NoteComplete();
            if (step.IsComplete)
            {
                _complete = new BatchNormReport(
                    Generation, step.Step, step.FindNonFinite(index => _statistics[index].Name, _fence.WorkerName));
            }
        }

        return new ReduceAnswer<T>(verdict, sum.Total, completes);
    }
}
