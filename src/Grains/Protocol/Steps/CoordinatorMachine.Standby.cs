using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// How the coordinator is doubled: it tells its standby each decision, and counts it among those that must take one before the next is made.
/// </summary>
public sealed partial class CoordinatorMachine
{
    private Standby? _standby;
    private long _standbyStep;
    private bool _isStandby;

    /// <summary>As a standby: it has been told where the job is.</summary>
    private bool _isWhole;

    /// <summary>True if a standby could go on in this one's place.</summary>
    public bool IsProtected => _standby is not null && _standbyStep != Standby.Empty;

    /// <summary>The number of the coordinator's standby among those that take decisions.</summary>
    public int CoordinatorServer => _partitions + 1;

    /// <summary>What the standby is to be told next, or null: nothing now.</summary>
    /// <param name="progress">Of committed steps, with the rows that the standby lacks.</param>
    public CoordinatorForward? NextForward(Func<StepProgress> progress) => _standby is null || _standbyStep == Position.Step || _fence.IsFrozen
        ? null
        : new CoordinatorForward(_fence.Assignment!.HeaderOf(Position.Step), Position, Committed, _last?.Decision, progress());

    /// <summary>The standby has taken a message.</summary>
    public CoordinatorAnswer NoteForwarded(CoordinatorForward forward)
    {
        if (forward.Header.Generation != Generation)
        {
            return new CoordinatorAnswer(Verdict.Stale);
        }

        _standbyStep = Math.Max(_standbyStep, forward.Header.Step);
        if (_standbyStep == Position.Step)
        {
            _last?.NoteTaken(CoordinatorServer);
        }

        return Settle(Verdict.Accepted);
    }

    /// <summary>Takes, as the standby, what the coordinator knows.</summary>
    public Answer Follow(CoordinatorForward forward)
    {
        if (_fence.Screen(forward.Header) is { } screened)
        {
            return screened;
        }

        if (!_isStandby)
        {
            return new Answer(Verdict.Rejected, $"the step coordinator is not a standby in generation {Generation}.");
        }

        if (_isWhole && forward.Header.Step <= Position.Step)
        {
            return Verdict.AlreadyApplied;
        }

        (Position, Committed, _isWhole) = (forward.Position, forward.Committed, true);
        _last = forward.Last is { } last && StepOutcome.Of(last) is { } outcome ? new DecidedStep(outcome, null, null, Takers()) : null;
        if (Committed.Step == Position.Step)
        {
            _last?.NoteAllTaken();
        }

        return Verdict.Accepted;
    }

    /// <summary>
    /// The last decision was made by a coordinator that is lost, before this one knew: some server has taken it. To be told before the generation
    /// begins.
    /// </summary>
    /// <returns>The step before, if it was not known here that all have taken it; else null.</returns>
    public StepOutcome? Learn(StepDecision? missed)
    {
        if (missed?.Step != Position.Step || StepOutcome.Of(missed) is not { } outcome)
        {
            return null;
        }

        StepOutcome? before = Committed.Step < Position.Step ? _last?.Outcome : null;
        Committed = Position;
        Position = outcome.Position;
        _last = new DecidedStep(outcome, null, null, Takers());
        return before;
    }

    /// <summary>All that must take a decision: partitions, batch norms, and the standby.</summary>
    private int[] Takers() =>
    [
        .. Enumerable.Range(0, _hasBatchNorm ? _partitions + 1 : _partitions),
        .. _standby is null ? Array.Empty<int>() : [CoordinatorServer],
    ];

    /// <summary>Servers whose standbys have not taken the last decision when a generation begins in which no server runs its step again.</summary>
    private IEnumerable<int> Lagging(Assignment assignment) => Committed.Step == Position.Step ? [] : Enumerable.Range(0, CoordinatorServer + 1)
        .Where(server => assignment.Servers.StandbyOf(server) is { } standby && standby.Version != Standby.Empty && standby.Version < assignment.FirstStep);

    /// <summary>False as a standby that does not know yet where the job is.</summary>
    internal bool HoldsState => WhyLost() is null;

    private Answer BeginAsStandby(Assignment assignment)
    {
        bool holdsState = _fence.Assignment is not null && HoldsState;
        Answer answer = _fence.BeginAsStandby(assignment);
        if (answer.Verdict == Verdict.Accepted)
        {
            (_isStandby, _isWhole, _standby) = (true, holdsState, null);
        }

        return answer;
    }

    private FrozenAt Answer(FrozenAt frozen) =>
        frozen.Answer.Verdict == Verdict.Accepted && WhyLost() is { } lost ? FrozenAt.Not(lost) : frozen;

    /// <summary>Null unless there is nothing here that a generation could go on from.</summary>
    private Answer? WhyLost() => _isStandby && !_isWhole
        ? new Answer(Verdict.Rejected, "the standby of the step coordinator has not been told yet where the job is.")
        : null;

    /// <summary>It serves in this generation.</summary>
    private void Serve(Assignment assignment)
    {
        _isStandby = false;
        _standby = assignment.Servers.StandbyOf(CoordinatorServer);
        _standbyStep = _standby?.Version ?? Standby.Empty;
        if (_standby is null || _standbyStep == Position.Step)
        {
            _last?.NoteTaken(CoordinatorServer);
        }
    }
}
