using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Tests.Runs;

/// <summary>A job that trains nothing, in no time; notes what it is told.</summary>
internal sealed class FakeJob(long totalSteps, int stepsPerEpoch, long startStep = 0) : IJobGrain
{
    private readonly List<StepRow> _rows = [];
    private long _step = startStep;
    private EvaluationResult? _evaluation;
    private CheckpointResult? _checkpoint;

    public List<string> Orders { get; } = [];

    /// <summary>Called before each slice of training.</summary>
    public Action<long> BeforeRun { get; set; } = _ => { };

    public JobFailure? Failure { get; set; }

    /// <summary>What the next calls for the status throw, one after the other.</summary>
    public Queue<Exception> Troubles { get; } = [];

    public Task SubmitAsync(string jobJson, JobLayout layout, string? checkpoint, string? runFolder = null) => Task.CompletedTask;

    public Task RunAsync(long untilStep)
    {
        BeforeRun(untilStep);
        Orders.Add("train");
        while (_step < untilStep)
        {
            _rows.Add(new StepRow(_step++, 1.0 / _step, 0.5, 0.1, 1, 0.2));
        }

        return Task.CompletedTask;
    }

    public Task EvaluateAsync()
    {
        Orders.Add($"evaluate {_step}");
        _evaluation = new EvaluationResult(_step, 100, 0.25, 0.5);
        return Task.CompletedTask;
    }

    /// <summary>That of the last checkpoint.</summary>
    public CheckpointRetention? Retention { get; private set; }

    public Task CheckpointAsync(string runFolder, FinalResult? result, CheckpointRetention? retention = null)
    {
        Retention = retention;
        Orders.Add(result is null ? $"save {_step}" : $"save {_step} as final");
        _checkpoint = new CheckpointResult($"{runFolder}/checkpoints/step-{_step:D8}", _step, "aa", "bb");
        return Task.CompletedTask;
    }

    public Task<JobStatus> StatusAsync() => Troubles.TryDequeue(out Exception? trouble) ? Task.FromException<JobStatus>(trouble) : Task.FromResult(new JobStatus
    {
        JobId = "fake",
        Model = "lenet",
        Data = "none",
        State = Failure is null ? JobState.Idle : JobState.Failed,
        Step = _step,
        TotalSteps = totalSteps,
        StepsPerEpoch = stepsPerEpoch,
        TrainLoss = 1.0 / Math.Max(1, _step),
        RecentSteps = [.. _rows],
        Workers = [new WorkerStatus("local-1/0", 0, 4, _step, 10 * _step, 1, 0, 0, 0)],
        Evaluation = _evaluation,
        Checkpoint = _checkpoint,
        Failure = Failure,
        Warnings = _step >= 3 ? ["step 2 was skipped"] : [],
    });

    public Task EndAsync(JobState state)
    {
        Orders.Add($"end {state}");
        return Task.CompletedTask;
    }
}
