using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// The life of a job: which order makes sense in which state, how far it may run, and its generation. An order that makes no
/// sense is refused with a sentence that says what the job is doing. Pure.
/// </summary>
public sealed class JobMachine(string jobId, long totalSteps)
{
    public JobState State { get; private set; } = JobState.Created;

    /// <summary>Steps completed.</summary>
    public long Step { get; private set; }

    /// <summary>Where the current run stops.</summary>
    public long UntilStep { get; private set; }

    /// <summary>0 before the first assignment.</summary>
    public long Generation { get; private set; }

    /// <summary>The number of the last order to the workers, from 1: they carry out each once.</summary>
    public long Order { get; private set; }

    public string? Failure { get; private set; }

    /// <summary>True if nothing can happen to the job any more.</summary>
    public bool HasEnded => State is JobState.Completed or JobState.Stopped or JobState.Failed or JobState.Cancelled;

    /// <summary>The job's state is initialized or loaded: it is idle at this step.</summary>
    public void Start(long step)
    {
        Demand("start", State == JobState.Created);
        Step = step;
        State = JobState.Idle;
    }

    /// <summary>The next generation. Not for a job that has ended.</summary>
    public long NextGeneration()
    {
        Demand("change its workers", !HasEnded);
        return ++Generation;
    }

    public void Run(long untilStep)
    {
        Demand("run", State == JobState.Idle);
        if (untilStep <= Step || untilStep > totalSteps)
        {
            throw ConvNetException.BadInput($"job '{jobId}' cannot run until step {untilStep}: it is at step {Step} of {totalSteps}.");
        }

        UntilStep = untilStep;
        Order++;
        State = JobState.Running;
    }

    /// <summary>So many steps are complete. At the end of the run the job is idle. Told again, it does nothing.</summary>
    public void Reach(long step)
    {
        if (State != JobState.Running || step <= Step)
        {
            return;
        }

        Step = step;
        if (Step >= UntilStep)
        {
            State = JobState.Idle;
        }
    }

    public void BeginEvaluation()
    {
        Move("evaluate", JobState.Idle, JobState.Evaluating);
        Order++;
    }

    public void EndEvaluation() => Move("end its evaluation", JobState.Evaluating, JobState.Idle);

    public void BeginCheckpoint() => Move("save a checkpoint", JobState.Idle, JobState.Checkpointing);

    public void EndCheckpoint() => Move("end its checkpoint", JobState.Checkpointing, JobState.Idle);

    /// <summary>From any state but an end: training or the cluster failed. The first failure stays.</summary>
    public void Fail(string message)
    {
        if (!HasEnded)
        {
            State = JobState.Failed;
            Failure = message;
        }
    }

    /// <summary>
    /// Ends the job as completed (only at T) or stopped (only when idle), or cancels it at any time. Ended jobs stay as they ended.
    /// </summary>
    public void End(JobState end)
    {
        if (State == end || State == JobState.Failed)
        {
            return;
        }

        Demand(end switch { JobState.Completed => "complete", JobState.Stopped => "stop", _ => "be cancelled" }, end switch
        {
            JobState.Completed => State == JobState.Idle && Step == totalSteps,
            JobState.Stopped => State == JobState.Idle,
            JobState.Cancelled => !HasEnded,
            _ => throw new ArgumentOutOfRangeException(nameof(end), end, "not a state in which a job is ended by order."),
        });
        State = end;
    }

    private void Move(string order, JobState from, JobState to)
    {
        Demand(order, State == from);
        State = to;
    }

    private void Demand(string order, bool holds)
    {
        if (!holds)
        {
            string doing = State switch
            {
                JobState.Running => $"running until step {UntilStep} and is at step {Step}",
                JobState.Failed => $"failed: {Failure}",
                _ => $"{State.ToString().ToLowerInvariant()} at step {Step} of {totalSteps}",
            };
            throw new ConvNetException(ExitCode.Conflict, $"job '{jobId}' cannot {order} now: it is {doing}.");
        }
    }
}
