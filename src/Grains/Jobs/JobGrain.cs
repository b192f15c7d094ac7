using ConvNet.Engine;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// The head of one job: places its parts, passes the client's orders on, and knows what the job is doing. It hears of progress,
/// never of gradients.
/// </summary>
[Reentrant, KeepAlive, PreferLocalPlacement]
internal sealed partial class JobGrain(SiloCatalog catalog, ILogger<JobGrain> logger) : Grain, IJobGrain, IJobControlGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StallDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(2);

    private string _jobJson = "";
    private JobSpec? _job;
    private JobPlacement _placement = null!;
    private long _generation;
    private JobState _state = JobState.Created;
    private long _step;
    private JobFailure? _failure;
    private EvaluationResult? _evaluation;
    private CheckpointResult? _checkpoint;
    private StepProgress _progress = new();
    private WorkerStatus[] _workers = [];
    private Metrics?[] _blocks = [];
    private long _lastSign = Environment.TickCount64;

    private string JobId => this.GetPrimaryKeyString();

    private IStepCoordinatorGrain Coordinator => GrainFactory.GetGrain<IStepCoordinatorGrain>(_placement.ServerKey);

    public async Task SubmitAsync(string jobJson, JobLayout layout, string? checkpoint)
    {
        if (_job is not null)
        {
            throw new JobException(ExitCode.Conflict, $"job '{JobId}' exists and is {_state}; choose another id");
        }

        try
        {
            _job = JobSpec.FromJson(jobJson);
            _jobJson = jobJson;
            _placement = JobPlacement.Plan(JobId, _job.DataShards, layout, catalog.Silos());
            await GrainFactory.GetGrain<IJobDirectoryGrain>(0).RegisterAsync(JobId);
            await StartAsync(checkpoint);
            _state = JobState.Idle;
            LogSubmitted(logger, JobId, _job.Model.Name, _placement.Workers.Length, _placement.Partitions.Length, _step);
            this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchPeriod, WatchPeriod) { Interleave = true, KeepAlive = true });
        }
        catch (Exception e)
        {
            _state = JobState.Failed;
            _failure = JobException.From(e).ToFailure();
            throw JobException.From(e);
        }
    }

    public async Task RunAsync(long untilStep)
    {
        Require(JobState.Idle, "train");
        if (untilStep <= _step || untilStep > _job!.TotalSteps)
        {
            throw new JobException(ExitCode.BadInput, $"cannot train until step {untilStep}: job '{JobId}' is at step {_step} of {_job!.TotalSteps}");
        }

        Enter(JobState.Running);
        await Coordinator.NotifyAtAsync(_generation, untilStep);
        await Task.WhenAll(_placement.Workers.Select(worker =>
            GrainFactory.GetGrain<IWorkerGrain>(worker.Key).RunAsync(_generation, _step, untilStep)));
    }

    public async Task EvaluateAsync()
    {
        Require(JobState.Idle, "evaluate");
        Enter(JobState.Evaluating);
        int blocks = Evaluation.BlockCount(_job!.TestSamples);
        int workers = _placement.Workers.Length;
        _blocks = new Metrics?[blocks];
        for (int i = 0; i < workers; i++)
        {
            int first = blocks * i / workers;
            int end = blocks * (i + 1) / workers;
            if (end > first)
            {
                await GrainFactory.GetGrain<IWorkerGrain>(_placement.Workers[i].Key).EvaluateAsync(_generation, _step, first, end);
            }
        }
    }

    public Task CheckpointAsync(string runFolder, FinalResult? result)
    {
        Require(JobState.Idle, "write a checkpoint");
        Enter(JobState.Checkpointing);
        WriteCheckpointAsync(runFolder, result).Ignore();
        return Task.CompletedTask;
    }

    public async Task<JobStatus> StatusAsync()
    {
        if (_job is null)
        {
            throw new JobException(ExitCode.BadInput, $"no job '{JobId}' in this cluster");
        }

        await RefreshAsync();
        Metrics epoch = new(_progress.Position.Epoch.LossSum, _progress.Position.Epoch.Correct, _progress.Position.Epoch.Count);
        StepRow last = _progress.Recent.LastOrDefault();
        return new JobStatus
        {
            JobId = JobId,
            Model = _job.Model.Name,
            Data = _job.Data.NameOrPath,
            State = _state,
            Step = Math.Max(_step, _progress.Position.Step),
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
            RecentSteps = _progress.Recent,
        };
    }

    public async Task EndAsync(JobState state)
    {
        if (_job is null)
        {
            return;
        }

        await RefreshAsync();
        _state = _failure is null ? state : JobState.Failed;
        await ReleaseAsync();
        LogEnded(logger, JobId, _state, _step);
    }

    public Task StepsCommittedAsync(long generation, long step)
    {
        if (generation == _generation && _state == JobState.Running)
        {
            _step = step;
            Enter(JobState.Idle);
        }

        return Task.CompletedTask;
    }

    public Task EvaluationDoneAsync(long generation, int worker, int firstBlock, BlockMetrics[] blocks)
    {
        if (generation != _generation || _state != JobState.Evaluating)
        {
            return Task.CompletedTask;
        }

        for (int i = 0; i < blocks.Length; i++)
        {
            _blocks[firstBlock + i] = new Metrics(blocks[i].LossSum, blocks[i].Correct, blocks[i].Count);
        }

        if (_blocks.All(block => block is not null))
        {
            Metrics sum = Evaluation.Sum([.. _blocks.Select(block => block!.Value)]);
            _evaluation = new EvaluationResult(_step, sum.Count, sum.LossSum / sum.Count, (double)sum.Correct / sum.Count);
            Enter(JobState.Idle);
        }

        return Task.CompletedTask;
    }

    public Task FailedAsync(long generation, string who, JobFailure failure)
    {
        if (generation == _generation)
        {
            Fail(failure);
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job}: {Model} on {Workers} workers and {Partitions} partitions, at step {Step}")]
    private static partial void LogSubmitted(ILogger logger, string job, string model, int workers, int partitions, long step);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} ended as {State} at step {Step}")]
    private static partial void LogEnded(ILogger logger, string job, JobState state, long step);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed with exit code {ExitCode}: {Message}")]
    private static partial void LogFailed(ILogger logger, string job, int exitCode, string message);

    private void Require(JobState state, string order)
    {
        if (_job is null)
        {
            throw new JobException(ExitCode.BadInput, $"no job '{JobId}' in this cluster");
        }

        if (_failure is not null)
        {
            throw new JobException((ExitCode)_failure.ExitCode, _failure.Message);
        }

        if (_state != state)
        {
            throw new JobException(ExitCode.Conflict, $"job '{JobId}' is {_state} at step {_step} and cannot {order} now; wait until it is {state}");
        }
    }

    private void Enter(JobState state)
    {
        _state = state;
        _lastSign = Environment.TickCount64;
    }

    private void Fail(JobFailure failure)
    {
        if (_failure is null)
        {
            _failure = failure;
            _state = JobState.Failed;
            LogFailed(logger, JobId, failure.ExitCode, failure.Message);
        }
    }
}
