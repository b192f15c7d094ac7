using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Engine.Training;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// The head of one job: places its parts, passes the client's orders on, and knows what the job is doing. It hears of progress,
/// never of gradients.
/// </summary>
[Reentrant, KeepAlive, PreferLocalPlacement]
internal sealed partial class JobGrain(SiloCatalog catalog, JobDeadlines deadlines, ILogger<JobGrain> logger) : Grain, IJobGrain, IJobControlGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PlacementPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(2);

    private string _jobJson = "";
    private JobSpec? _job;
    private JobPlacement _placement = null!;
    private JobMachine? _machine;
    private JobFailure? _failure;
    private EvaluationResult? _evaluation;
    private CheckpointResult? _checkpoint;
    private StepProgress _progress = new();
    private WorkerStatus[] _workers = [];
    private Metrics?[] _blocks = [];
    private IGrainTimer? _watch;
    private long _lastSign = Environment.TickCount64;

    private string JobId => this.GetPrimaryKeyString();

    private JobMachine Machine => _machine ?? throw new JobException(ExitCode.BadInput, $"no job '{JobId}' in this cluster");

    private JobState State => _machine?.State ?? JobState.Created;

    private IStepCoordinatorGrain Coordinator => GrainFactory.GetGrain<IStepCoordinatorGrain>(_placement.ServerKey);

    public async Task SubmitAsync(string jobJson, JobLayout layout, string? checkpoint)
    {
        if (_job is not null)
        {
            throw new JobException(ExitCode.Conflict, $"job '{JobId}' exists and is {State}; choose another id");
        }

        try
        {
            _job = JobSpec.FromJson(jobJson);
            _jobJson = jobJson;
            _machine = new JobMachine(JobId, _job.TotalSteps);
            _placement = await PlaceAsync(layout);
            await GrainFactory.GetGrain<IJobDirectoryGrain>(0).RegisterAsync(JobId);
            Machine.Start(await StartAsync(checkpoint));
            _lastSign = Environment.TickCount64;
            LogSubmitted(logger, JobId, _job.Model.Name, _placement.Workers.Length, _placement.Partitions.Length, Machine.Step);
            _watch = this.RegisterGrainTimer(WatchAsync, new GrainTimerCreationOptions(WatchPeriod, WatchPeriod) { Interleave = true, KeepAlive = true });
        }
        catch (Exception e)
        {
            Fail(JobException.From(e).ToFailure());
            throw JobException.From(e);
        }
    }

    public async Task RunAsync(long untilStep)
    {
        Order(machine => machine.Run(untilStep));
        long firstStep = Machine.Step;
        await Coordinator.NotifyAtAsync(Machine.Generation, untilStep);
        await Task.WhenAll(_placement.Workers.Select(worker =>
            GrainFactory.GetGrain<IWorkerGrain>(worker.Key).RunAsync(JobId, Machine.Generation, firstStep, untilStep)));
    }

    public async Task EvaluateAsync()
    {
        Order(machine => machine.BeginEvaluation());
        int blocks = Evaluation.BlockCount(_job!.TestSamples);
        int workers = _placement.Workers.Length;
        _blocks = new Metrics?[blocks];
        for (int i = 0; i < workers; i++)
        {
            int first = blocks * i / workers;
            int end = blocks * (i + 1) / workers;
            if (end > first)
            {
                await GrainFactory.GetGrain<IWorkerGrain>(_placement.Workers[i].Key).EvaluateAsync(JobId, Machine.Generation, Machine.Step, first, end);
            }
        }
    }

    public Task CheckpointAsync(string runFolder, FinalResult? result)
    {
        Order(machine => machine.BeginCheckpoint());
        WriteCheckpointAsync(runFolder, result).Ignore();
        return Task.CompletedTask;
    }

    public async Task<JobStatus> StatusAsync()
    {
        JobMachine machine = Machine;
        await RefreshAsync();
        Metrics epoch = new(_progress.Position.Epoch.LossSum, _progress.Position.Epoch.Correct, _progress.Position.Epoch.Count);
        StepRow last = _progress.Recent.LastOrDefault();
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
            RecentSteps = _progress.Recent,
        };
    }

    public async Task EndAsync(JobState state)
    {
        await RefreshAsync();
        if (state == JobState.Failed)
        {
            Fail(new JobFailure((int)ExitCode.TrainingFailed, "its client ended it as failed"));
        }
        else
        {
            Order(machine => machine.End(state));
        }

        await ReleaseAsync();
        LogEnded(logger, JobId, State, Machine.Step);
    }

    public Task StepsCommittedAsync(long generation, StepProgress progress)
    {
        if (generation == _machine?.Generation)
        {
            // Both in one turn, so that a status never shows a job at rest with the progress of an earlier step.
            _progress = progress;
            _machine.Reach(progress.Position.Step);
            _lastSign = Environment.TickCount64;
        }

        return Task.CompletedTask;
    }

    public Task EvaluationDoneAsync(long generation, int worker, int firstBlock, BlockMetrics[] blocks)
    {
        if (generation != _machine?.Generation || State != JobState.Evaluating || firstBlock < 0 || firstBlock + blocks.Length > _blocks.Length)
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
            _evaluation = new EvaluationResult(Machine.Step, sum.Count, sum.LossSum / sum.Count, (double)sum.Correct / sum.Count);
            Machine.EndEvaluation();
            _lastSign = Environment.TickCount64;
        }

        return Task.CompletedTask;
    }

    public Task<bool> IsLiveAsync() => Task.FromResult(_machine is { HasEnded: false });

    public Task FailedAsync(long generation, string who, JobFailure failure)
    {
        if (generation == _machine?.Generation)
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

    /// <summary>Gives an order to the machine, which refuses it if it makes no sense now.</summary>
    private void Order(Action<JobMachine> order)
    {
        try
        {
            order(Machine);
            _lastSign = Environment.TickCount64;
        }
        catch (ConvNetException e)
        {
            throw _failure is { } failure ? new JobException((ExitCode)failure.ExitCode, failure.Message) : JobException.From(e);
        }
    }

    private void Fail(JobFailure failure)
    {
        if (_failure is null)
        {
            _failure = failure;
            _machine?.Fail(failure.Message);
            LogFailed(logger, JobId, failure.ExitCode, failure.Message);
            ReleaseAsync().Ignore();
        }
    }
}
