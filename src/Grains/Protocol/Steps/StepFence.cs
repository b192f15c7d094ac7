using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// Keeps old and premature messages out: the part of the rules that partitions, batch norm and coordinator share. A generation
/// begins with an assignment, which names the step that it runs first; messages of older ones have no effect from then on, and neither from
/// the moment at which the generation is promised by <see cref="Freeze"/>.
/// </summary>
internal sealed class StepFence(long totalSteps)
{
    public Assignment? Assignment { get; private set; }

    public long Generation => Assignment?.Generation ?? 0;

    /// <summary>No message of a generation before this one has an effect: the current one, or the one that is promised.</summary>
    public long Promised { get; private set; }

    /// <summary>True from the promise of a generation until it begins: nothing may change meanwhile.</summary>
    public bool IsFrozen => Promised > Generation;

    /// <summary>True unless the generation is over, or has begun here.</summary>
    public bool IsNext(Assignment assignment) => assignment.Generation > Generation && assignment.Generation >= Promised;

    /// <summary>The step that this generation ran first.</summary>
    public long FirstStep => Assignment?.FirstStep ?? 0;

    /// <summary>
    /// Promises to take no message of a generation before the header's. A promise never goes back: an older one is stale, and so is a
    /// late repeat for a generation that has begun, whose steps may have moved the version.
    /// </summary>
    /// <param name="version">The version here, which stays until the generation begins.</param>
    public FrozenAt Freeze(MessageHeader header, long version)
    {
        if (header.Generation < Promised || header.Generation <= Generation)
        {
            return FrozenAt.Not(Verdict.Stale);
        }

        if (Assignment is not null && header.JobId != Assignment.JobId)
        {
            return FrozenAt.Not(OtherJob(header.JobId));
        }

        Promised = header.Generation;
        return new FrozenAt(Verdict.Accepted, version);
    }

    /// <param name="version">The version here: the first step is either the open one, or the last committed one run again for others.</param>
    public Answer Begin(Assignment assignment, long version)
    {
        if (WhyNotBegin(assignment) is { } screened)
        {
            return screened;
        }

        if (assignment.FirstStep != version && assignment.FirstStep != version - 1)
        {
            return new Answer(
                Verdict.Rejected,
                $"generation {assignment.Generation} is to start at step {assignment.FirstStep}, but this server is at version {version} and keeps " +
                "only the one before it; go back to a checkpoint.");
        }

        return Begin(assignment);
    }

    /// <summary>The same for a standby, whose version is what its server makes it.</summary>
    public Answer BeginAsStandby(Assignment assignment) => WhyNotBegin(assignment) ?? Begin(assignment);

    /// <summary>Screens a message's job and generation, without its step. Null = they are the current ones.</summary>
    public Answer? Screen(MessageHeader header)
    {
        if (header.Generation < Promised)
        {
            return Verdict.Stale;
        }

        if (Assignment is null || header.Generation != Generation)
        {
            return Verdict.Future;
        }

        return header.JobId == Assignment.JobId ? null : OtherJob(header.JobId);
    }

    /// <summary>Screens a worker's message, without its step. Null = it may be taken into account.</summary>
    public Answer? ScreenWorker(MessageHeader header)
    {
        if (Screen(header) is { } answer)
        {
            return answer;
        }

        if ((uint)header.Worker >= (uint)Assignment!.Workers.Length)
        {
            return new Answer(Verdict.Rejected, $"generation {Generation} has {Assignment.Workers.Length} workers, none has index {header.Worker}.");
        }

        AssignedWorker worker = Assignment.Workers[header.Worker];
        return header.Incarnation == worker.Incarnation ? null
            : header.Incarnation < worker.Incarnation ? Verdict.Stale
            : new Answer(
                Verdict.Rejected,
                $"{worker} has incarnation {worker.Incarnation} in generation {Generation}, but a message came from {header.Incarnation}.");
    }

    /// <summary>
    /// Screens a step against the open one. Null = it is the open step. The step before has been applied: either in this generation,
    /// whose acknowledgement may have been lost, or in the one before, and this one runs it again.
    /// </summary>
    public Answer? ScreenStep(long step, long version)
    {
        if (step < version)
        {
            return step == version - 1 && step >= FirstStep ? Verdict.AlreadyApplied : Verdict.Stale;
        }

        if (step >= totalSteps)
        {
            return new Answer(Verdict.Rejected, $"the job has {totalSteps} steps, so there is no step {step}.");
        }

        return step > version ? Verdict.Future : null;
    }

    /// <summary>Screens a decision at a server. Null = it is about the open step. Told again, or about an earlier step, it has no effect.</summary>
    public Answer? ScreenDecision(StepDecision decision, long version) =>
        Screen(decision.Header) is { } answer ? answer
        : decision.Step < version ? Verdict.AlreadyApplied
        : decision.Step > version ? Verdict.Future
        : null;

    /// <summary>
    /// Screens state that is to be overwritten from a checkpoint: only in a generation that starts from one, at the version at which it
    /// began, and before a step of it is applied. Null = it may be.
    /// </summary>
    public Answer? ScreenInstall(MessageHeader header, long version) =>
        Screen(header) is { } answer ? answer
        : Assignment!.Start != AssignmentStart.Restore
            ? new Answer(
                Verdict.Rejected,
                $"state of version {header.Step} is to be restored, but generation {Generation} does not start from a checkpoint ({Assignment.Start}).")
        : header.Step == FirstStep && version == FirstStep ? null
        : new Answer(
            Verdict.Rejected,
            $"state of version {header.Step} is to be restored, but generation {Generation} began at version {FirstStep} and is at {version} now.");

    /// <summary>Screens a request for the newest version. Null = that is the one.</summary>
    public Answer? ScreenRead(MessageHeader header, long version) =>
        Screen(header) is { } answer ? answer
        : header.Step == version ? null
        : header.Step > version ? Verdict.Future
        : new Answer(Verdict.Rejected, $"version {header.Step} was asked for, but this server is at version {version}.");

    public string WorkerName(int worker) => Assignment!.Workers[worker].Name;

    private Answer? WhyNotBegin(Assignment assignment)
    {
        if (!IsNext(assignment))
        {
            return assignment.Generation == Generation && !IsFrozen ? Verdict.Duplicate : Verdict.Stale;
        }

        if (Assignment is not null && assignment.JobId != Assignment.JobId)
        {
            return OtherJob(assignment.JobId);
        }

        return null;
    }

    private Answer Begin(Assignment assignment)
    {
        Assignment = assignment;
        Promised = assignment.Generation;
        return Verdict.Accepted;
    }

    private Answer OtherJob(string jobId) => new Answer(
        Verdict.Rejected, $"this server belongs to job '{Assignment!.JobId}', but a message came from job '{jobId}'.");
}
