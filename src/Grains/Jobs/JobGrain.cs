using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Records;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// The head of one job: hosts a <see cref="JobMachine"/>, which decides, and does what the machine commands. It hears of progress, never of
/// gradients, and calls nobody to answer a question for its status.
/// </summary>
[HeadPlacement, Reentrant, KeepAlive]
internal sealed partial class JobGrain(
    [PersistentState(JobGrain.Kept, JobGrain.Store)] IPersistentState<JobRecord> record,
    SiloCatalog catalog,
    ClusterHead head,
    ILocalSiloDetails self,
    JobDeadlines deadlines,
    ILogger<JobGrain> logger)
    : Grain, IJobGrain, IJobControlGrain
{
    private readonly JobClock _clock = new();
    private JobSubmission? _submission;
    private Task _registering = Task.CompletedTask;
    private JobSpec? _job;
    private JobMachine? _machine;
    private IGrainTimer? _watch;
    private double _clientSeen;
    private double? _endedAt;

    private string JobId => this.GetPrimaryKeyString();

    private JobMachine Machine => _machine ?? throw Unknown();

    private JobSubmission Submission => _submission!;

    public async Task SubmitAsync(JobSubmission submission)
    {
        if (_submission is { } known)
        {
            // Told again because the answer was lost, or is late?
            if (known.SubmissionId == submission.SubmissionId)
            {
                await _registering;
                await KeepSoonAsync();
                return;
            }

            throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' exists and is {Spoken(_machine?.State)}; choose another id.");
        }

        var job = JobSpec.FromJson(submission.JobJson);
        JobLimits.CheckWorkers(submission.Layout.Workers, job.DataShards);
        Refuse(JobLimits.ProblemOfId(JobId) is { } problem ? $"job id {problem}" : null);
        Refuse(JobLimits.ProblemOfMinWorkers(submission.Layout));
        Refuse(JobLimits.ProblemOfLayout(submission.Layout));
        Refuse(JobLimits.ProblemOfPriority(submission.Priority));
        _submission = submission;
        await (_registering = RegisterAsync(submission));
        await KeepSoonAsync();
        FindPlaceAsync().Ignore();
    }

    public async Task OrderAsync(JobOrder order)
    {
        JobMachine machine = Machine;
        if (order.Client is not null && order.Client != Submission.Client)
        {
            throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' takes no orders from this client: another one holds its lease.");
        }

        Renew(order.Client);
        if (order.Kind == JobOrderKind.Resume && machine.State == JobState.Orphaned)
        {
            GoOnAlone();
        }

        machine.Order(order);
        await KeepSoonAsync();
        CarryOut();
    }

    public Task<JobStatus> StatusAsync(StatusQuery query)
    {
        JobMachine machine = Machine;
        Renew(query.Client, query.WrittenEvent);
        if (query.Writer is not null && query.Writer == _writer?.Key && query.WrittenEvent is { } unwritten)
        {
            _unwrittenEvent = unwritten;
        }

        JobPosition position = machine.Reached.Position;
        Metrics epoch = position.Epoch.Sums;
        StepRow[] rows = query.SinceStep is { } step ? machine.Rows.Since(step) : [];
        return Task.FromResult(new JobStatus
        {
            JobId = JobId,
            Model = _job!.Model.Name,
            Data = _job.Data.NameOrPath,
            State = !machine.HasEnded || IsKept(machine) ? machine.State : machine.HasBegun ? JobState.Saving : JobState.Queued,
            Step = position.Step,
            TotalSteps = _job.TotalSteps,
            StepsPerEpoch = _job.StepsPerEpoch,
            TrainLoss = machine.TrainLoss,
            TrainAccuracy = epoch.Count == 0 ? 0 : (double)epoch.Correct / epoch.Count,
            LearningRate = machine.Rows.Last.LearningRate,
            GradientNorm = machine.Rows.Last.GradientNorm,
            ImagesPerSecond = machine.ImagesPerSecond,
            SecondsPerStep = machine.Rows.SecondsPerStep,
            Workers = [.. machine.Workers],
            Servers = [.. (machine.Servers?.ByRole ?? []).Select((server, number) => new ServerStatus(
                server.Role, PinnedKey.SiloOf(server.Key), machine.Servers!.StandbyOf(number) is { } standby ? PinnedKey.SiloOf(standby.Key) : null))],
            IsProtected = machine.IsProtected,
            Generation = machine.Generation,
            Reason = WhyNotKept() ?? (machine.HasEnded && !IsKept(machine) ? null : machine.Reason),
            Evaluation = machine.Evaluation,
            Checkpoint = machine.Checkpoint,
            RunFolder = Submission.RunFolder,
            Checkpoints = _checkpoints is { } place && IsCurrent(place) ? place : null,
            Failure = machine.Failure,
            Rows = rows,
            Events = query.SinceEvent is { } number ? [.. machine.Events.Since(number).TakeWhile(happened => happened.Number < _keptEvents)] : [],
            Priority = Submission.Priority,
            QueuePosition = machine.QueuePosition,
            HasClient = Submission.Client is not null,
            IsLeaseLost = query.Client is not null && query.Client != Submission.Client,
            HasMore = rows.Length > 0 && rows[^1].Step + 1 < machine.Rows.Next,
        });
    }

    public Task<Answer> ProgressAsync(MessageHeader header, StepProgress progress) => Take(machine => machine.Progress(header, progress, _clock.Now));

    public Task<Answer> WorkerSeenAsync(MessageHeader header, WorkerStatus status)
    {
        _pulses.Heard(PinnedKey.SiloOf(status.Name), _clock.Now);
        return Take(machine => machine.WorkerSeen(header, status, _clock.Now));
    }

    public Task<Answer> EvaluationDoneAsync(MessageHeader header, int firstBlock, Metrics[] blocks) =>
        Take(machine => machine.EvaluationDone(header, firstBlock, blocks, _clock.Now));

    public Task<bool> NeedsAsync(string part) => AnswerAsync(machine =>
        machine.Assignment?.Servers.All.Contains(part) == true || machine.Servers?.All.Contains(part) == true || _held.Contains(part));

    public Task<bool> WantsCheckpointAsync(string writer, long step) =>
        AnswerAsync(machine => machine.IsWriting(step) && machine.Assignment?.Servers.Checkpoint == writer);

    public Task<bool> IsLiveAsync() => AnswerAsync(machine => machine.State is not (JobState.Paused or JobState.Orphaned));

    public Task<bool> NeedsCheckpointsAsync() => AnswerAsync(_ => true);

    public async Task<bool> ForgetAsync()
    {
        bool hasEnded = _submission is null || _machine is { HasEnded: true };
        if (hasEnded)
        {
            if (record.RecordExists)
            {
                await record.ClearStateAsync();
            }

            DeactivateOnIdle();
        }

        return hasEnded;
    }

    public async Task<Answer> FailedAsync(MessageHeader header, string who, JobFailure failure)
    {
        if (_machine is not { } machine || !machine.IsAt(header.Generation))
        {
            return Verdict.Stale;
        }

        AssignedWorker[] workers = machine.Assignment?.Workers ?? [];
        await FailAsync(header.Generation, who, failure, (uint)header.Worker < (uint)workers.Length ? workers[header.Worker].Name : null);
        return Verdict.Accepted;
    }

    private async Task RegisterAsync(JobSubmission submission)
    {
        try
        {
            Adopt(submission, await JobDirectory.RegisterAsync(JobId));
        }
        catch
        {
            _submission = null;
            throw;
        }
    }

    /// <summary>A job that is submitted, or was led elsewhere, lives here from now on.</summary>
    private void Adopt(JobSubmission submission, long number)
    {
        _submission = submission;
        _number = number;
        _job = JobSpec.FromJson(submission.JobJson);
        _machine = new JobMachine(JobId, _job.Shape, _job.TestSamples, submission.RunFolder, submission.Plan) { IsDetached = submission.Client is null };
        _clientSeen = _clock.Now;
        _watch = this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchPeriod, WatchPeriod) { Interleave = true, KeepAlive = true });
    }

    /// <summary>A question about a job that has not ended; of one that is not known, nothing stays here.</summary>
    private Task<bool> AnswerAsync(Func<JobMachine, bool> ask)
    {
        LeaveIfUnknown();
        return Task.FromResult(_machine is { HasEnded: false } machine && ask(machine));
    }

    private void LeaveIfUnknown()
    {
        if (_submission is null)
        {
            DeactivateOnIdle();
        }
    }

    private ConvNetException Unknown()
    {
        LeaveIfUnknown();
        return ConvNetException.BadInput($"no job '{JobId}' in this cluster; 'convnet job list' shows those that it knows.");
    }

    /// <summary>Clients check what a user gives them; whoever else submits hears it here.</summary>
    private static void Refuse(string? problem)
    {
        if (problem is not null)
        {
            throw ConvNetException.BadInput(problem);
        }
    }

    private static string Spoken(JobState? state) => state?.InWords() ?? "being submitted";

    private void Renew(string? client, long? writtenEvent = null)
    {
        if (client is not null && client == Submission.Client)
        {
            _clientSeen = _clock.Now;
            _clientHas = writtenEvent ?? _clientHas;
        }
    }

    private Task<Answer> Take(Func<JobMachine, Answer> tell)
    {
        if (_machine is not { } machine)
        {
            LeaveIfUnknown();
            return Task.FromResult<Answer>(Verdict.Stale);
        }

        Answer answer = tell(machine);
        CarryOut();
        return Task.FromResult(answer);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job}: {Model} on {Workers} workers and {Partitions} partitions, from step {Step}")]
    private static partial void LogSubmitted(ILogger logger, string job, string model, int workers, int partitions, long step);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job}, generation {Generation}: step {Step} on {Workers}")]
    private static partial void LogGeneration(ILogger logger, string job, long generation, long step, string workers);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} ended as {State} at step {Step}")]
    private static partial void LogEnded(ILogger logger, string job, JobState state, long step);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed with exit code {ExitCode}, as {Who} says: {Message} {Details}")]
    private static partial void LogFailed(ILogger logger, string job, int exitCode, string who, string message, string? details);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} cannot go on where it is, as {Who} says: {Message}")]
    private static partial void LogServer(ILogger logger, string job, string who, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} cannot use worker {Worker} now: {Message}")]
    private static partial void LogCandidate(ILogger logger, string job, string worker, string message);
}
