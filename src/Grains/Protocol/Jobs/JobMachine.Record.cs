using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What is kept of a job while it lives, and how another one goes on from that.</summary>
internal sealed partial class JobMachine
{
    /// <summary>
    /// A store that has lost its last writes may not know the newest generations. Two of one number would mix: who leads the job on passes over so many.
    /// </summary>
    private const long GenerationsApart = 100;

    private long _revision;
    private int _asked;

    /// <summary>
    /// Another one has led the job: what steps since then have come to is known, whole, when the next generation starts. What is told before may go on from
    /// what that one has heard last.
    /// </summary>
    private bool _isRecovering;

    /// <summary>Seconds without a step at the end of which the generation started that is to be told of, and that its coordinator does not count.</summary>
    private double _restedSeconds;
    private double? _heldUpSince;

    /// <summary>Grows whenever something has changed that is to be kept.</summary>
    public long Revision => _revision + _events.Next;

    /// <summary>What is to be kept.</summary>
    public LifeRecord Record() => new()
    {
        State = State,
        Generation = Generation,
        Assignment = _assignment,
        Plan = _plan?.Record(),
        Reached = Reached with { Recent = [], Warnings = [] },
        Reason = Reason,
        Failure = Failure,
        Orders = [.. _orders],
        EarlyOrders = [.. _early],
        IsPaused = _isPaused,
        Orphaned = _orphaned,
        Releasing = _releasing,
        Expelled = [.. _expelled],
        Ending = _ending,
        Vacating = _vacating,
        StartsWithFewer = _startsWithFewer,
        Asked = _asked,
        Members = [.. _members?.Present ?? []],
        Lost = _members?.Pending,
        Untold = _untold,
        Begun = _begun,
        Repeated = _repeated,
        Events = _events.Last(),
        NextEvent = _events.Next,
        Samples = _samples.ByWorker,
        SavedPosition = _savedPosition,
        SavedSamples = _savedSamples,
        SamplesAt = [.. _samplesAt],
        CountedStep = _counted,
        HasGoneBack = _hasGoneBack,
        TimedSamples = _timedBefore.Samples,
        TimedSeconds = _timedBefore.Seconds,
    };

    /// <summary>
    /// Goes on, in a machine that has done nothing yet, with a job that another one has led. Whatever that one had under way begins anew: a job that
    /// works does so in a new generation, one that was just starting goes back to the queue.
    /// </summary>
    /// <param name="reason">Why another one leads it now, for people and without a full stop.</param>
    public void Recover(LifeRecord record, string reason, double now)
    {
        (State, _assignment, Reached) = (record.State, record.Assignment, record.Reached);
        Generation = record.Generation + (HasEnded ? 0 : GenerationsApart);
        (Reason, Failure, _ending, _vacating) = (record.Reason, record.Failure, record.Ending, record.Vacating);
        (_isPaused, _releasing, _asked, _counted) = (record.IsPaused, record.Releasing, record.Asked, record.CountedStep);
        (_orphaned, _startsWithFewer) = (record.Orphaned, record.StartsWithFewer);
        _timedBefore = (record.TimedSamples, record.TimedSeconds);
        _orders.AddRange(record.Orders);
        _expelled.UnionWith(record.Expelled);
        _early.AddRange(record.EarlyOrders);
        _events.Restore(record.Events, record.NextEvent);
        _warnings.UnionWith(record.Events.Select(happened => happened.Event).OfType<RunEvent.Warning>().Select(warning => warning.Message));
        _samples.Restore(record.Samples);
        foreach (KeyValuePair<long, KeyValuePair<string, long>[]> saved in record.SamplesAt)
        {
            _samplesAt.Enqueue(saved);
        }

        (_savedPosition, _savedSamples, _hasGoneBack) = (record.SavedPosition, record.SavedSamples, record.HasGoneBack);
        _plan = record.Plan is { } kept ? JobPlan.Recover(plan, shape.TotalSteps, kept, now) : null;
        _lastSign = now;
        _revision++;
        if (_releasing is { } left)
        {
            _commands.Add(new JobCommand.Release(left));
        }
        else if (_assignment is not null && !HasEnded)
        {
            _members = new JobMembers(_asked, record.Members, record.Lost);
            if (State == JobState.Queued)
            {
                Yield($"{reason}, while the job was starting.");
                return;
            }

            (_untold, _begun, _repeated) = (record.Untold, record.Begun, record.Repeated);

            // Where it rests, or works, is known when all servers have said where they stand; then the plan says what is next.
            State = JobState.Running;
            _isRecovering = true;
            UntilStep = 0;
            _members.Move(reason);
            Change(now);
        }
    }

    /// <summary>
    /// The first generation has started since another one led the job: since when that was silent, and no step came, its servers know alone.
    /// </summary>
    private void NoteLostLeader(StepProgress? reached)
    {
        if (_isRecovering && reached is not null && _untold is { } untold)
        {
            _untold = untold with { NoticedSeconds = Math.Max(untold.NoticedSeconds, reached.SilenceSeconds) };
            _restedSeconds = reached.RestSeconds;
            _repeated = Math.Max(_repeated, reached.RestSeconds > 0 ? 0 : 1);
        }
    }
}
