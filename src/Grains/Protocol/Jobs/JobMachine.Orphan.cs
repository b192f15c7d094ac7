using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>What a job does without its client: it saves, gives its place up as a paused job does, and waits for somebody to take it up.</summary>
internal sealed partial class JobMachine
{
    /// <summary>Why the job has no client any more, without a full stop; null while it has one, or needs none.</summary>
    private string? _orphaned;

    /// <summary>The client is gone; the job waits, or will as soon as everything is saved.</summary>
    public bool IsOrphaned => _orphaned is not null && !HasEnded;

    /// <summary>
    /// The client that holds the lease is gone: the job saves what is new at the next step boundary, frees everything and waits. Told again, it does
    /// nothing.
    /// </summary>
    /// <param name="silent">For so many seconds.</param>
    public void LoseClient(double silent)
    {
        if (!IsOrphaned)
        {
            Orphan(FormattableString.Invariant($"its client was silent for {silent:F0} s"));
        }
    }

    /// <summary>The job waits for somebody to take it up, for another reason than before if it does so already.</summary>
    /// <param name="reason">For people, without a full stop.</param>
    public void Orphan(string reason)
    {
        if (HasEnded)
        {
            return;
        }

        _orphaned = reason;
        _plan?.Yield();
        _revision++;
        if (_assignment is null)
        {
            Queue(OrphanReason());
        }
    }

    /// <summary>Somebody else is the client from now on, and writes the run: the job goes back to the queue, also if it was paused before.</summary>
    /// <exception cref="ConvNetException">The job is not orphaned, or has not saved yet (exit code 6).</exception>
    public void TakeUp()
    {
        if (!IsOrphaned)
        {
            throw new ConvNetException(
                ExitCode.Conflict, $"job '{jobId}' is not orphaned: it is {State.InWords()} at step {Step} of {shape.TotalSteps}, and nobody can take it up.");
        }

        DemandForOrphan(JobOrderKind.Resume);
        Resume();
    }

    /// <summary>Nobody has taken the job up: it ends with what is saved, or as cancelled if that is nothing.</summary>
    /// <param name="minutes">That it has waited.</param>
    public void GiveUp(double minutes)
    {
        if (State == JobState.Orphaned)
        {
            JobState end = Checkpoint is null ? JobState.Cancelled : JobState.Stopped;
            End(end, FormattableString.Invariant($"{_orphaned}, and nobody has taken it up for {minutes:0.##} minutes; {WhereItIsSaved()}."));
        }
    }

    /// <summary>Stale orders of the client that was lost do nothing; others are for a job that has saved.</summary>
    private void DemandForOrphan(JobOrderKind kind)
    {
        if (kind == JobOrderKind.Cancel || (kind == JobOrderKind.Resume && State == JobState.Orphaned))
        {
            return;
        }

        throw new ConvNetException(
            ExitCode.Conflict,
            kind == JobOrderKind.Resume
                ? $"job '{jobId}' has lost its client ({_orphaned}) and is still {State.InWords()} at step {Step} of {shape.TotalSteps}: " +
                  "it saves what is new first; try again in some seconds."
                : $"job '{jobId}' takes no order to {Spoken(kind)}, as {_orphaned}; 'job attach' or 'job resume' lets it go on, 'job cancel' ends it.");
    }

    private string OrphanReason() => _plan is null ? $"{_orphaned}, before the job began." : $"{_orphaned}; {WhereItIsSaved()}.";
}
