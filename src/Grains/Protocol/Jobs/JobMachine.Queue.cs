using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job waits for its place in the cluster, gives it up with everything saved, and takes another one.</summary>
internal sealed partial class JobMachine
{
    /// <summary>The job takes fewer in its new place, too, if that is lost before it has started.</summary>
    private bool _startsWithFewer;

    /// <summary>
    /// True while the job waits for workers and servers: <see cref="Begin"/> gives it some. Not before all of an earlier place are free, as a late
    /// release would free the new ones.
    /// </summary>
    public bool WantsPlace => State == JobState.Queued && _assignment is null && _releasing is null;

    /// <summary>
    /// The job had to leave its place, as its silos or its client were lost or stopped: it goes on with the workers that are left, and takes on others later.
    /// </summary>
    public bool TakesFewer => HasBegun && (_vacating is not null || _startsWithFewer);

    /// <summary>From 1; null if the job does not stand in the queue.</summary>
    public int? QueuePosition { get; private set; }

    /// <summary>The job has no place in the cluster yet.</summary>
    /// <param name="reason">For people.</param>
    /// <param name="position">In the queue; null: it does not stand there.</param>
    public void Wait(string reason, int? position)
    {
        if (WantsPlace)
        {
            (Reason, QueuePosition) = (reason, position);
        }
    }

    /// <summary>Servers are lost, and the state with them: the job goes back to its last checkpoint, in another place.</summary>
    /// <param name="reason">For people, without a full stop.</param>
    public void LoseServers(string reason)
    {
        if (HasEnded || _assignment is null)
        {
            return;
        }

        _isResting = false;
        _evaluation = null;
        _vacating = reason;
        string back = Checkpoint is { } checkpoint ? $"step {checkpoint.Step}, which is saved in {checkpoint.Path}" : "where it began";
        Yield($"{reason}; the job goes back to {back}.");
        _samples.GoBack(_savedSamples);
        StandAt(_savedPosition);
    }

    /// <summary>
    /// A server fails, perhaps as it has lost its state: a freeze shows whether a standby has it, or else the job goes back. The same helps, by the way
    /// back, when what was decided of a step came from a machine that has computed or sent something else than the truth. What does not get better by that ends
    /// the job the next time, if nothing new was saved in between.
    /// </summary>
    public void FailServer(JobFailure failure, double now)
    {
        if (HasEnded || _assignment is null)
        {
            return;
        }

        string reason = failure.Message.TrimEnd('.');
        if (_examinedAt != Step && Examine(reason, now))
        {
            _examinedAt = Step;
        }
        else if (_hasGoneBack)
        {
            Fail(failure);
        }
        else
        {
            _hasGoneBack = true;
            LoseServers(reason);
        }
    }

    /// <summary>Everything is free that <see cref="JobCommand.Release"/> was about.</summary>
    public void Released()
    {
        _releasing = null;
        _revision++;
    }

    /// <summary>Whether it matters what is met in this generation: the job works, and not in another one.</summary>
    public bool IsAt(long generation) => !HasEnded && _assignment is not null && generation == Generation;

    private void Pause()
    {
        _isPaused = true;
        _plan?.Yield();
        if (State == JobState.Queued && _assignment is null)
        {
            Queue(PauseReason());
        }
    }

    private void Resume()
    {
        // Its workers were freed for others: it goes on with those that are there.
        _vacating ??= _orphaned;
        (_isPaused, _orphaned) = (false, null);
        _plan?.GoOn();
        if (State is JobState.Paused or JobState.Orphaned)
        {
            Queue(null);
        }
    }

    /// <summary>Everything is saved: the job frees its workers and servers, and goes back to the queue.</summary>
    private void Yield(string reason)
    {
        TellChange(0);
        DropSave();
        Release((_change?.Chosen ?? _assignment)!);
        (_assignment, _members, _change, _untold, _begun, _repeated, _withoutWorkersSince) = (null, null, null, null, null, 0, null);
        _isRecovering = false;
        _workers.Clear();
        Queue(reason);
        _events.Add(new RunEvent.Yielded(Step, State, reason));
    }

    private void Release(Assignment assignment)
    {
        _releasing = assignment with { Generation = Generation };
        _commands.Add(new JobCommand.Release(_releasing));
    }

    /// <summary>The job has no place, and takes none while it is paused or has no client.</summary>
    private void Queue(string? reason)
    {
        State = IsOrphaned ? JobState.Orphaned : _isPaused ? JobState.Paused : JobState.Queued;
        (Reason, QueuePosition) = (reason, null);
        _revision++;
    }

    private string PauseReason() => $"it was paused by order{(_plan is null ? " before it began" : $"; {WhereItIsSaved()}")}.";
}
