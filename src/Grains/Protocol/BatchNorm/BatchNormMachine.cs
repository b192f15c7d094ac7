using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
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
public sealed partial class BatchNormMachine
{
    private readonly JobShape _job;
    private readonly BatchNormMode _mode;
    private readonly RunningAverage _average;
    private readonly StepFence _fence;
    private readonly Restoration<int> _restoration = new("batch norm");
    private BatchNormState[] _statistics;
    private NormStep? _previous;
    private NormStep? _current;
    private BatchNormReport? _complete;
    private EarlierRoots? _earlier;
    private StepDecision? _last;
    private MessageHeader? _reported;

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
    /// before is on its way, here or to the standby, so that nobody ever falls two steps behind: look after both, too.
    /// </summary>
    public BatchNormReport? Report => IsInStep && _complete?.Header.Step <= Version ? _complete : null;

    /// <summary>Takes no message of a generation before the header's from now on, and says at which version it stays. Wake whoever waits.</summary>
    public FrozenAt Freeze(MessageHeader header) => Answer(_fence.Freeze(header, Version));

    /// <summary>Starts a generation and drops all sums of a step in progress. Whoever waits for a total must be told to start again.</summary>
    /// <param name="asStandby">It follows the one that serves, and may be at another version.</param>
    public Answer Begin(Assignment assignment, bool asStandby = false)
    {
        if (asStandby)
        {
            return BeginAsStandby(assignment);
        }

        if (_fence.IsNext(assignment) && assignment.Start == AssignmentStart.GoOn && WhyLost() is { } lost)
        {
            return lost;
        }

        Assignment? before = _fence.Assignment;
        Answer answer = _fence.Begin(assignment, Version);
        if (answer.Verdict == Verdict.Accepted)
        {
            NormStep? interrupted = _current?.Step == assignment.FirstStep ? _current : _previous?.Step == assignment.FirstStep ? _previous : null;
            _earlier = EarlierRoots.Before(
                assignment, _earlier, interrupted is null ? null : earlier => interrupted.AddTo(earlier, worker => before!.Workers[worker].Name));
            _restoration.Begin(assignment, Enumerable.Range(0, _statistics.Length));
            _previous = null;
            _current = assignment.FirstStep < _job.TotalSteps ? NewStep(assignment.FirstStep) : null;
            _complete = null;
            Serve(assignment);
        }

        return answer;
    }

    /// <summary>Takes a worker's moments of one norm, one for each root of its plan. The records are kept, so they must not change.</summary>
    public ReduceAnswer<Moments> ReduceMoments(NormRoots roots, IReadOnlyList<Moments> moments)
    {
        if (Find(roots.Header, out NormStep? step) is { } screened)
        {
            return new ReduceAnswer<Moments>(screened, null, false);
        }

        string? complaint = WhyInvalid(step!, roots, moments.Count)
            ?? (moments.All(root => root.Mean.Length == Channels(roots.Norm) && root.M2.Length == Channels(roots.Norm) && root.Count > 0)
                ? null
                : $"moments that are not {Channels(roots.Norm)} channels of at least one value");
        return complaint is null
            ? Offer(step!, step!.Forward[roots.Norm], roots, moments, PrintOf)
            : Rejected<Moments>(roots, complaint);
    }

    /// <summary>Takes a worker's backward sums of one norm, one for each root of its plan. Synchronized batch norm only.</summary>
    public ReduceAnswer<BackwardSums> ReduceBackwardSums(NormRoots roots, IReadOnlyList<BackwardSums> sums)
    {
        if (Find(roots.Header, out NormStep? step) is { } screened)
        {
            return new ReduceAnswer<BackwardSums>(screened, null, false);
        }

        string? complaint = _mode != BatchNormMode.Sync
            ? "backward sums, but in ghost batch norm they travel as gradients"
            : WhyInvalid(step!, roots, sums.Count)
                ?? (sums.All(root => root.Dy.Length == Channels(roots.Norm) && root.DyXhat.Length == Channels(roots.Norm))
                    ? null
                    : $"backward sums that are not {Channels(roots.Norm)} channels");
        return complaint is null
            ? Offer(step!, step!.Backward[roots.Norm], roots, sums, PrintOf)
            : Rejected<BackwardSums>(roots, complaint);
    }

    /// <summary>Moves the running statistics, or leaves them as they are for a skipped step. Told again, it does nothing.</summary>
    public Answer Commit(StepDecision decision)
    {
        if (_fence.ScreenDecision(decision, Version) is { } screened)
        {
            return screened;
        }

        if (!IsInStep)
        {
            // The standby must not fall two steps behind.
            return Verdict.Future;
        }

        NormStep? step = _current?.Step == decision.Step ? _current : _previous;
        if (step is null || step.Step != decision.Step || !step.IsComplete)
        {
            return new Answer(Verdict.Rejected, $"batch norm was told to commit step {decision.Step}, but its sums are not complete.");
        }

        if (decision.IsToldAgain && _reported != decision.Header)
        {
            return Verdict.Future;
        }

        if (!decision.IsSkip)
        {
            _statistics = [.. _statistics.Select((state, norm) =>
                BatchNormStatistics.Update(state, step.Forward[norm].Total!, _average, BatchesSeen))];
            BatchesSeen++;
        }

        Version++;
        _last = decision;
        return Verdict.Accepted;
    }

    /// <summary>The coordinator has taken the report of a step: if that is decided already, these are the sums that the decision is about.</summary>
    public void NoteReported(MessageHeader header) => _reported = header;

    /// <summary>Running mean then running variance of one batch norm at the header's version, which must be the newest.</summary>
    public BlockAnswer Read(MessageHeader header, int norm)
    {
        if ((_fence.ScreenRead(header, Version) ?? WhyNoNorm(norm)) is { } screened)
        {
            return screened;
        }

        float[] floats = [.. _statistics[norm].RunningMean, .. _statistics[norm].RunningVar];
        return new TensorBlock(floats, 0, floats.Length);
    }

    /// <summary>Overwrites running statistics from a checkpoint of the version at which this generation began, before its first step.</summary>
    /// <param name="statistics">Running mean then running variance.</param>
    public Answer Install(MessageHeader header, int norm, ReadOnlySpan<float> statistics)
    {
        if ((_fence.ScreenInstall(header, Version) ?? WhyNoNorm(norm)) is { } screened)
        {
            return screened;
        }

        int channels = Channels(norm);
        if (statistics.Length != 2 * channels)
        {
            return new Answer(
                Verdict.Rejected, $"{statistics.Length} floats cannot be restored to batch norm {_statistics[norm].Name}, which has {channels} channels.");
        }

        _statistics[norm] = new BatchNormState(_statistics[norm].Name, statistics[..channels].ToArray(), statistics[channels..].ToArray());
        _restoration.NoteInstalled(norm);
        return Verdict.Accepted;
    }

    private static Fingerprint PrintOf(Moments root) =>
        new(Digest.Of([root]), root.Mean.All(double.IsFinite) && root.M2.All(double.IsFinite));

    private static Fingerprint PrintOf(BackwardSums root) =>
        new(Digest.Of([root]), root.Dy.All(double.IsFinite) && root.DyXhat.All(double.IsFinite));

    private Answer? WhyNoNorm(int norm) => (uint)norm < (uint)_statistics.Length
        ? null
        : new Answer(Verdict.Rejected, $"there are {_statistics.Length} batch norms, none has index {norm}.");

    private int Channels(int norm) => _statistics[norm].RunningMean.Length;

    private NormStep NewStep(long step) =>
        new(step, new StepNodes(_job, _fence.Assignment!, step), _statistics.Length, _mode == BatchNormMode.Sync);

    /// <summary>The sums of the message's step; begins the next step when the one in progress is complete.</summary>
    private Answer? Find(MessageHeader header, out NormStep? step)
    {
        step = null;
        if (_fence.ScreenWorker(header) is { } screened)
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
            _earlier = null;
        }

        long open = _current?.Step ?? _job.TotalSteps;
        step = header.Step == open ? _current : header.Step == open - 1 ? _previous : null;
        return step is not null ? null : header.Step < open ? Verdict.Stale : _fence.ScreenStep(header.Step, open);
    }

    private string? WhyInvalid(NormStep step, NormRoots roots, int sent)
    {
        if ((uint)roots.Norm >= (uint)_statistics.Length)
        {
            return $"sums of a norm that does not exist: there are {_statistics.Length}";
        }

        int expected = step.Nodes.RootsOf(roots.Header.Worker).Length;
        return sent == expected ? null : $"{sent} roots, but holds {expected}";
    }

    private ReduceAnswer<T> Rejected<T>(NormRoots roots, string complaint)
        where T : class =>
        new(
            new Answer(
                Verdict.Rejected,
                $"worker {_fence.WorkerName(roots.Header.Worker)} sent batch norm {roots.Norm} of step {roots.Header.Step} {complaint}."),
            null,
            false);

    private ReduceAnswer<T> Offer<T>(
        NormStep step,
        NormSum<T> sum,
        NormRoots roots,
        IReadOnlyList<T> values,
        Func<T, Fingerprint> printOf)
        where T : class
    {
        int worker = roots.Header.Worker;
        TreeNode[] nodes = step.Nodes.RootsOf(worker);
        Fingerprint[] prints = [.. values.Select(printOf)];
        Verdict verdict = sum.Offer(worker, nodes, values, prints);
        if (verdict == Verdict.Conflict)
        {
            string direction = roots.Forward ? "forward" : "backward";
            return new ReduceAnswer<T>(
                new Answer(
                    verdict,
                    $"worker {_fence.WorkerName(worker)} sent batch norm {_statistics[roots.Norm].Name} of step {step.Step}, {direction}, " +
                    "twice with different bytes."),
                null,
                false);
        }

        bool completes = verdict == Verdict.Accepted && sum.Total is not null;
        if (verdict == Verdict.Accepted)
        {
            Inspect(step, roots, nodes.Zip(prints));
        }

        if (completes)
        {
            step.NoteComplete();
            if (step.IsComplete)
            {
                _complete = new BatchNormReport(
                    _fence.Assignment!.HeaderOf(step.Step),
                    step.FindNonFinite(NameOf, _fence.WorkerName),
                    step.FindDisagreement(_earlier, NameOf),
                    step.DigestOfTotals());
            }
        }

        return new ReduceAnswer<T>(verdict, sum.Total, completes);
    }

    private string NameOf(int norm) => _statistics[norm].Name;

    /// <summary>Notes what is not finite, and what has other bits than in an earlier generation.</summary>
    private void Inspect(NormStep step, NormRoots roots, IEnumerable<(TreeNode Node, Fingerprint Print)> prints)
    {
        int sum = step.NumberOf(roots.Norm, roots.Forward);
        int worker = roots.Header.Worker;
        foreach ((TreeNode node, Fingerprint print) in prints)
        {
            if (!print.IsFinite)
            {
                step.NoteNonFinite(sum, worker, node);
            }

            if (_earlier?.Step == step.Step)
            {
                _earlier.Compare(sum, node, _fence.WorkerName(worker), print);
            }
        }
    }
}
