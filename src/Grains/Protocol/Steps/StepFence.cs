using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// Keeps old and premature messages out: the part of the rules that partitions, batch norm and coordinator share. A generation
/// begins with an assignment and the step that it runs first; messages of older ones have no effect from then on.
/// </summary>
internal sealed class StepFence(long totalSteps)
{
    public Assignment? Assignment { get; private set; }

    public long Generation => Assignment?.Generation ?? 0;

    /// <summary>The step that this generation ran first.</summary>
    public long FirstStep { get; private set; }

    /// <param name="version">The version here: the first step is either the open one, or the last committed one run again for others.</param>
    public Answer Begin(Assignment assignment, long firstStep, long version)
    {
        if (assignment.Generation <= Generation)
        {
            return assignment.Generation == Generation ? Verdict.Duplicate : Verdict.Stale;
        }

        if (firstStep != version && firstStep != version - 1)
        {
            return new Answer(
                Verdict.Rejected,
                $"generation {assignment.Generation} is to start at step {firstStep}, but this server is at version {version} and keeps only " +
                "the one before it; go back to a checkpoint");
        }

        Assignment = assignment;
        FirstStep = firstStep;
        return Verdict.Accepted;
    }

    /// <summary>Screens a generation. Null = it is the current one.</summary>
    public Answer? Screen(long generation)
    {
        if (generation != Generation || Assignment is null)
        {
            return generation < Generation ? Verdict.Stale : Verdict.Future;
        }

        return null;
    }

    /// <summary>Screens a worker's message, without its step. Null = it may be taken into account.</summary>
    public Answer? Screen(MessageHeader header)
    {
        if (Screen(header.Generation) is { } answer)
        {
            return answer;
        }

        if ((uint)header.Worker >= (uint)Assignment!.Workers.Count)
        {
            return new Answer(Verdict.Rejected, $"generation {Generation} has {Assignment.Workers.Count} workers, none has index {header.Worker}");
        }

        AssignedWorker worker = Assignment.Workers[header.Worker];
        return header.Incarnation == worker.Incarnation ? null
            : header.Incarnation < worker.Incarnation ? Verdict.Stale
            : new Answer(
                Verdict.Rejected,
                $"{worker} has incarnation {worker.Incarnation} in generation {Generation}, but a message came from {header.Incarnation}");
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
            return new Answer(Verdict.Rejected, $"the job has {totalSteps} steps, so there is no step {step}");
        }

        return step > version ? Verdict.Future : null;
    }

    public string WorkerName(int worker) => Assignment!.Workers[worker].Name;
}
