using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>
/// Follows a job to its end, or until it has lost its client: asks for its status again and again, and publishes what is new, each step and each
/// event once and in their order. How long the job takes is its own affair; that nobody answers any more is an error within seconds.
/// </summary>
public sealed class RunFollower
{
    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan PollAtRest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PollInQueue = TimeSpan.FromMilliseconds(250);

    private readonly IJobGrain _job;
    private readonly string _jobId;
    private readonly RunStream _run;
    private readonly TimeProvider _clock;
    private readonly TimeSpan? _patience;
    private ClusterContact? _contact;
    private long? _nextStep;
    private long _nextEvent;
    private long _writtenEvent;
    private RunEvent.Ended? _end;

    /// <param name="firstStep">The first step whose row is published; null: none are.</param>
    /// <param name="patience">With a job that does not answer; null: seconds (<see cref="ClusterContact"/>).</param>
    public RunFollower(IJobGrain job, string jobId, RunStream run, long? firstStep, TimeProvider clock, TimeSpan? patience = null)
    {
        (_job, _jobId, _run, _nextStep, _clock, _patience) = (job, jobId, run, firstStep, clock, patience);
        Tell = waits => run.Publish(new RunEvent.Warning(waits));
    }

    /// <summary>Tells whether any silo of the cluster answers when the job does not; null: nobody.</summary>
    public Func<Task<bool>>? Witness { get; init; }

    /// <summary>Is told that the job does not answer while the cluster does; unless it is given, the run is.</summary>
    public Action<string> Tell { get; init; }

    /// <summary>Whose lease of the job each question renews; null for somebody who only looks on.</summary>
    public string? Client { get; init; }

    /// <summary>The key of the run writer that follows the job; null for others.</summary>
    public string? Writer { get; init; }

    /// <summary>The number of the first event that is published.</summary>
    public long FirstEvent
    {
        init => _nextEvent = _writtenEvent = value;
    }

    /// <summary>The step at which the job will stop; questions come closer as it comes near.</summary>
    public long LastStep { get; init; } = long.MaxValue;

    /// <summary>What the job said last.</summary>
    public JobStatus? Latest { get; private set; }

    private ClusterContact Contact => _contact ??= new ClusterContact(
        () => $"job '{_jobId}'{(Latest is { } latest ? $", last heard of at step {latest.Step}," : "")}", _clock, _patience)
    {
        Witness = Witness,
        Tell = Tell,
    };

    /// <returns>
    /// How the run ended, which is not published: <see cref="RunEvent.Completed"/>, <see cref="RunEvent.Stopped"/> or <see cref="RunEvent.Failed"/>.
    /// </returns>
    /// <exception cref="ConvNetException">Nobody answers, or the cluster does not know the job any more (exit code 4).</exception>
    public async Task<RunEvent> FollowAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            JobStatus status = Latest = await AskAsync(cancellation);
            if (status.IsLeaseLost)
            {
                return new RunEvent.Failed(
                    ExitCode.Conflict,
                    $"this client of job '{_jobId}' was silent for too long (suspended, or cut off), and somebody else has taken the job up since: it is " +
                    $"{status.State.InWords()} at step {status.Step} without it.");
            }

            bool hasNews = Publish(status);
            if (status.HasMore && hasNews)
            {
                continue;
            }

            if (status.HasEnded || status.State == JobState.Orphaned)
            {
                return EndOf(status);
            }

            await Task.Delay(PollDelay(status), _clock, cancellation);
        }
    }

    private async Task<JobStatus> AskAsync(CancellationToken cancellation)
    {
        try
        {
            long? written = Client is null && Writer is null ? null : _writtenEvent;
            return await Contact.AskAsync(() => _job.StatusAsync(new StatusQuery(_nextStep, _nextEvent, Client, Writer, written)), cancellation);
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"the cluster no longer knows job '{_jobId}': the silo that held it has left or was started again.", e);
        }
    }

    /// <summary>Rows and events in the order in which they happened; events of steps whose rows are still to come are asked for again.</summary>
    /// <returns>False if the status brought nothing that was not known.</returns>
    private bool Publish(JobStatus status)
    {
        StepRow[] rows = _nextStep is { } next ? [.. status.Rows.Where(row => row.Step >= next).OrderBy(row => row.Step).DistinctBy(row => row.Step)] : [];
        long known = rows.Length > 0 && status.HasMore ? rows[^1].Step + 1 : long.MaxValue;
        JobEvent[] events =
        [
            .. status.Events.Where(happened => happened.Number >= _nextEvent).OrderBy(happened => happened.Number)
                .TakeWhile(happened => StepOf(happened.Event) <= known),
        ];
        foreach (JobEvent happened in events)
        {
            PublishRows(rows, StepOf(happened.Event), status.StepsPerEpoch);
            if (happened.Event is RunEvent.Ended end)
            {
                _end = end;
            }
            else
            {
                _run.Publish(happened.Event);
            }

            _nextEvent = happened.Number + 1;
        }

        PublishRows(rows, long.MaxValue, status.StepsPerEpoch);
        _run.Publish(new RunEvent.Progress(status));
        if (_run.IsWritten)
        {
            _writtenEvent = _nextEvent;
        }

        return rows.Length > 0 || events.Length > 0;
    }

    /// <summary>Those of steps before <paramref name="step"/> that are not published yet.</summary>
    private void PublishRows(StepRow[] rows, long step, int stepsPerEpoch)
    {
        StepRow[] due = [.. rows.Where(row => row.Step >= _nextStep && row.Step < step)];
        if (due.Length > 0)
        {
            _nextStep = due[^1].Step + 1;
            _run.Publish(new RunEvent.StepsCommitted(due, stepsPerEpoch));
        }
    }

    /// <summary>The steps that are completed when it happens; 0 if that is not known.</summary>
    private static long StepOf(RunEvent happened) => happened switch
    {
        RunEvent.EpochCompleted epoch => epoch.Evaluation.Step,
        RunEvent.CheckpointSaved saved => saved.Checkpoint.Step,
        RunEvent.MembersChanged change => change.Step,
        RunEvent.Yielded yielded => yielded.Step,
        RunEvent.Resumed resumed => resumed.Step,
        RunEvent.Ended ended => ended.Summary.Steps,
        _ => 0,
    };

    private TimeSpan PollDelay(JobStatus status)
    {
        if (status.State is JobState.Queued or JobState.Paused && status.Reason is not null)
        {
            return PollInQueue;
        }

        bool isMeasured = status.State == JobState.Running && status.SecondsPerStep > 0;
        double left = isMeasured ? (LastStep - status.Step) * status.SecondsPerStep / 2 : PollAtRest.TotalSeconds;
        return TimeSpan.FromSeconds(Math.Clamp(left, ShortestPoll.TotalSeconds, LongestPoll.TotalSeconds));
    }

    private RunEvent EndOf(JobStatus status) => status switch
    {
        { State: JobState.Cancelled } => new RunEvent.Failed(
            ExitCode.Cancelled, $"job '{_jobId}' was cancelled at step {status.Step}; {Saved(status)}."),
        { State: JobState.Orphaned } => new RunEvent.Failed(
            ExitCode.Environment,
            $"the client of job '{_jobId}' was silent for too long (suspended, or cut off), so the job has freed its workers at step {status.Step}; " +
            $"{Saved(status)}."),
        { State: JobState.Stopped, Reason: { } why } => new RunEvent.Failed(
            ExitCode.Environment, $"job '{_jobId}' was stopped at step {status.Step}: {why}"),
        { Failure: { ExitCode: (int)ExitCode.Bug } failure } => new RunEvent.Failed(ExitCode.Bug, failure.Message.Split('\n', 2)[0].TrimEnd()),
        { Failure: { } failure } => new RunEvent.Failed((ExitCode)failure.ExitCode, failure.Message),
        _ when _end is not null => _end,
        _ => new RunEvent.Failed(
            ExitCode.Bug, $"job '{_jobId}' is {status.State.InWords()} at step {status.Step}, but has not told its result."),
    };

    private static string Saved(JobStatus status) => status switch
    {
        { Checkpoint: null } => "nothing was saved",
        { Checkpoint: { } checkpoint, Checkpoints: { IsCache: true } place } =>
            $"step {checkpoint.Step} is saved on silo '{place.Silo}' for some time, where 'convnet checkpoint get --job {status.JobId}' fetches it",
        { Checkpoint: { } checkpoint } => $"step {checkpoint.Step} is saved in {checkpoint.Path}",
    };
}
