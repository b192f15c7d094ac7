using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// The head of one job: places its parts, passes the client's orders on, and knows what the job is doing. It hears of progress,
/// never of gradients.
/// </summary>
[HeadPlacement, Reentrant, KeepAlive]
internal sealed partial class JobGrain(SiloCatalog catalog, JobDeadlines deadlines, ILogger<JobGrain> logger) : Grain, IJobGrain, IJobControlGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PlacementPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(2);

    private string _jobJson = "";
    private string? _runFolder;
    private long _savedStep;
    private JobSpec? _job;
    private JobPlacement? _placement;
    private Assignment? _assignment;
    private EvaluationRun? _evaluationRun;
    private JobMachine? _machine;
    private JobFailure? _failure;
    private EvaluationResult? _evaluation;
    private CheckpointResult? _checkpoint;
    private readonly StepRows _rows = new();
    private StepProgress _progress = new();
    private WorkerStatus[] _workers = [];
    private IGrainTimer? _watch;
    private long _lastSign = Environment.TickCount64;

    private string JobId => this.GetPrimaryKeyString();

    private JobMachine Machine => _machine ?? throw new ConvNetException(ExitCode.BadInput, $"no job '{JobId}' in this cluster.");

    private JobPlacement Placement => _placement ?? throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' has no place in the cluster yet.");

    private Assignment Assignment => _assignment ?? throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' has no workers yet.");

    private JobState State => _machine?.State ?? JobState.Created;

    private IStepCoordinatorGrain Coordinator => GrainFactory.GetGrain<IStepCoordinatorGrain>(Placement.Servers.Coordinator);

    public async Task SubmitAsync(string jobJson, JobLayout layout, string? checkpoint, string? runFolder = null)
    {
        if (_job is not null)
        {
            throw new ConvNetException(ExitCode.Conflict, $"job '{JobId}' exists and is {State}; choose another id.");
        }

        try
        {
            _job = JobSpec.FromJson(jobJson);
            _jobJson = jobJson;
            _runFolder = runFolder;
            _machine = new JobMachine(JobId, _job.TotalSteps);
            _placement = await PlaceAsync(layout);
            await GrainFactory.GetGrain<IJobDirectoryGrain>(0).RegisterAsync(JobId);
            _savedStep = await StartAsync(checkpoint);
            Machine.Start(_savedStep);
            _lastSign = Environment.TickCount64;
            LogSubmitted(logger, JobId, _job.Model.Name, _placement.Workers.Length, _placement.Servers.Partitions.Length, Machine.Step);
            _watch = this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchPeriod, WatchPeriod) { Interleave = true, KeepAlive = true });
        }
        catch (Exception e)
        {
            Fail("submit", GrainFailure.ToFailure(e));
            throw GrainFailure.From(e);
        }
    }

    public async Task RunAsync(long untilStep)
    {
        Order(machine => machine.Run(untilStep));
        long firstStep = Machine.Step;
        long order = Machine.Order;
        await CarryOutAsync($"run until step {untilStep}", async () =>
        {
            await GrainCalls.DeliverAsync(() => Coordinator.NotifyAtAsync(Assignment.HeaderOf(untilStep)), () => "order to the step coordinator");
            await Task.WhenAll(Assignment.Workers.Select(worker => GrainCalls.DeliverAsync(
                () => GrainFactory.GetGrain<IWorkerGrain>(worker.Name).RunAsync(Assignment.HeaderOf(firstStep), order, untilStep),
                () => $"order to {worker}")));
        });
    }

    public async Task EvaluateAsync()
    {
        Order(machine => machine.BeginEvaluation());
        var run = _evaluationRun = new EvaluationRun(Assignment, Machine.Step, _job!.TestSamples);
        long order = Machine.Order;
        await CarryOutAsync($"evaluate at step {run.Version}", () => Task.WhenAll(Assignment.Workers.Select((worker, i) =>
        {
            (int first, int end) = run.BlocksOf(i);
            return first < end
                ? GrainCalls.DeliverAsync(
                    () => GrainFactory.GetGrain<IWorkerGrain>(worker.Name).EvaluateAsync(Assignment.HeaderOf(run.Version), order, first, end),
                    () => $"order to {worker}")
                : Task.CompletedTask;
        })));
    }

    public Task CheckpointAsync(string runFolder, FinalResult? result, CheckpointRetention? retention = null)
    {
        Order(machine => machine.BeginCheckpoint());
        WriteCheckpointAsync(runFolder, result, retention).Ignore();
        return Task.CompletedTask;
    }

    public async Task<JobStatus> StatusAsync()
    {
        JobMachine machine = Machine;
        await RefreshAsync();
        Metrics epoch = _progress.Position.Epoch.Sums;
        StepRow last = _rows.Last;
        return new JobStatus
        {
            JobId = JobId,
            Model = _job!.Model.Name,
            Data = _job.Data.NameOrPath,
            State = machine.State,
            Step = Math.Max(machine.Step, _progress.Position.Step),
            TotalSteps = _job.TotalSteps,
            StepsPerEpoch = _job.StepsPerEpoch,
            TrainLoss = epoch.Count == 0 ? 0 : epoch.LossSum / epoch.Count,
            TrainAccuracy = epoch.Count == 0 ? 0 : (double)epoch.Correct / epoch.Count,
            LearningRate = last.LearningRate,
            GradientNorm = last.GradientNorm,
            ImagesPerSecond = _progress.TimedSeconds > 0 ? _progress.TimedSamples / _progress.TimedSeconds : 0,
            Workers = _workers,
            Evaluation = _evaluation,
            Checkpoint = _checkpoint,
            Failure = _failure,
            Warnings = _progress.Warnings,
            RecentSteps = _rows.All,
        };
    }

    public async Task EndAsync(JobState state)
    {
        await RefreshAsync();
        if (state == JobState.Failed)
        {
            Fail("client", new JobFailure((int)ExitCode.TrainingFailed, "its client ended it as failed."));
        }
        else
        {
            Order(machine => machine.End(state));
        }

        await ReleaseAsync();
        LogEnded(logger, JobId, State, Machine.Step);
    }

    public Task<Answer> ProgressAsync(MessageHeader header, StepProgress progress)
    {
        if (header.Generation != _machine?.Generation)
        {
            return Task.FromResult<Answer>(Verdict.Stale);
        }

        _rows.Add(progress.Recent);
        if (progress.Position.Step < _progress.Position.Step)
        {
            return Task.FromResult<Answer>(Verdict.Duplicate);
        }

        // Both in one turn, so that a status never shows a job at rest with the progress of an earlier step.
        _progress = progress;
        _machine.Reach(progress.Position.Step);
        _lastSign = Environment.TickCount64;
        return Task.FromResult<Answer>(Verdict.Accepted);
    }

    public Task<Answer> EvaluationDoneAsync(MessageHeader header, int firstBlock, Metrics[] blocks)
    {
        if (_evaluationRun is not { } run || State != JobState.Evaluating)
        {
            return Task.FromResult<Answer>(Verdict.Stale);
        }

        Answer answer = run.Take(header, firstBlock, blocks);
        if (answer.IsRefused)
        {
            Fail($"evaluation at step {run.Version}", new JobFailure((int)ExitCode.TrainingFailed, answer.Reason!));
        }
        else if (run.IsComplete)
        {
            Metrics sum = run.Result;
            _evaluation = new EvaluationResult(run.Version, sum.Count, sum.LossSum / sum.Count, (double)sum.Correct / sum.Count);
            Machine.EndEvaluation();
            _lastSign = Environment.TickCount64;
        }

        return Task.FromResult(answer);
    }

    public Task<bool> IsLiveAsync() => Task.FromResult(_machine is { HasEnded: false });

    public Task<bool> NeedsAsync(string server) =>
        Task.FromResult(_machine is { HasEnded: false } && (_placement is not { } placement || placement.Servers.All.Contains(server)));

    public Task<Answer> FailedAsync(MessageHeader header, string who, JobFailure failure)
    {
        if (header.Generation != _machine?.Generation)
        {
            return Task.FromResult<Answer>(Verdict.Stale);
        }

        Fail(who, failure);
        return Task.FromResult<Answer>(Verdict.Accepted);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job}: {Model} on {Workers} workers and {Partitions} partitions, at step {Step}")]
    private static partial void LogSubmitted(ILogger logger, string job, string model, int workers, int partitions, long step);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} ended as {State} at step {Step}")]
    private static partial void LogEnded(ILogger logger, string job, JobState state, long step);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed with exit code {ExitCode}, as {Who} says: {Message}")]
    private static partial void LogFailed(ILogger logger, string job, int exitCode, string who, string message);

    /// <summary>Gives an order to the machine, which refuses it if it makes no sense now.</summary>
    private void Order(Action<JobMachine> order)
    {
        try
        {
            order(Machine);
            _lastSign = Environment.TickCount64;
        }
        catch (ConvNetException) when (_failure is { } failure)
        {
            throw new ConvNetException((ExitCode)failure.ExitCode, failure.Message);
        }
    }

    /// <summary>Passes an order on to the job's parts; if one of them cannot take it, the job has failed.</summary>
    /// <param name="order">For the log.</param>
    private async Task CarryOutAsync(string order, Func<Task> pass)
    {
        try
        {
            await pass();
        }
        catch (Exception e)
        {
            Fail(order, GrainFailure.ToFailure(e));

            // The first failure is the one to tell: what others meet afterwards follows from it.
            throw _failure is { } first ? new ConvNetException((ExitCode)first.ExitCode, first.Message) : GrainFailure.From(e);
        }
    }

    /// <param name="who">The part of the job that met it, for the log.</param>
    private void Fail(string who, JobFailure failure)
    {
        if (_failure is null && _machine is not { HasEnded: true })
        {
            _failure = failure;
            _machine?.Fail(failure.Message);
            LogFailed(logger, JobId, failure.ExitCode, who, failure.Message);
            ReleaseAsync().Ignore();
        }
    }
}
