using MessagePack;

namespace ConvNet.Grains.Contracts;

public enum JobState
{
    Created,

    /// <summary>Waits for the next order of its client, at a step boundary.</summary>
    Idle,
    Running,
    Evaluating,
    Checkpointing,
    Completed,
    Stopped,
    Failed,
    Cancelled,
}

/// <summary>How a job is spread over the cluster. Never changes the result.</summary>
/// <param name="Workers">1 … S.</param>
/// <param name="Threads">Compute threads per worker; 0 = what the worker's silo says.</param>
/// <param name="Partitions">Parameter-server partitions, at least 2.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobLayout")]
public sealed record JobLayout([property: Id(0)] int Workers, [property: Id(1)] int Threads, [property: Id(2)] int Partitions);

/// <summary>A snapshot of a job for people and scripts.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.JobStatus")]
public sealed record JobStatus
{
    [Id(0)] public required string JobId { get; init; }

    [Id(1)] public required string Model { get; init; }

    [Id(2)] public required string Data { get; init; }

    [Id(3)] public JobState State { get; init; }

    /// <summary>Steps completed.</summary>
    [Id(4)] public long Step { get; init; }

    [Id(5)] public long TotalSteps { get; init; }

    [Id(6)] public int StepsPerEpoch { get; init; }

    /// <summary>Mean over the samples so far of the epoch in progress, or of the whole last epoch right at its end.</summary>
    [Id(7)] public double TrainLoss { get; init; }

    [Id(8)] public double TrainAccuracy { get; init; }

    [Id(9)] public double LearningRate { get; init; }

    [Id(10)] public double GradientNorm { get; init; }

    /// <summary>Training samples ÷ seconds in training steps since the job was submitted, the first 5 steps left out.</summary>
    [Id(11)] public double ImagesPerSecond { get; init; }

    [Id(12)] public WorkerStatus[] Workers { get; init; } = [];

    [Id(13)] public EvaluationResult? Evaluation { get; init; }

    [Id(14)] public CheckpointResult? Checkpoint { get; init; }

    [Id(15)] public JobFailure? Failure { get; init; }

    /// <summary>Steps that were skipped because of non-finite gradients, and the like.</summary>
    [Id(16)] public string[] Warnings { get; init; } = [];

    /// <summary>Loss of each of the last steps (at most 2,000), for the metrics file: the client takes the rows that it has not seen.</summary>
    [Id(17)] public StepRow[] RecentSteps { get; init; } = [];
}

/// <summary>One committed step.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.StepRow")]
public readonly record struct StepRow(
    [property: Id(0)] long Step,
    [property: Id(1)] double Loss,
    [property: Id(2)] double Accuracy,
    [property: Id(3)] double LearningRate,
    [property: Id(4)] double GradientNorm,
    [property: Id(5)] double Seconds);

/// <summary>One worker's row in the console. Seconds are sums over the steps of this run.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerStatus")]
public sealed record WorkerStatus(
    [property: Id(0)] string Name,
    [property: Id(1)] int FirstShard,
    [property: Id(2)] int EndShard,
    [property: Id(3)] long Step,
    [property: Id(4)] long Samples,
    [property: Id(5)] double ComputeSeconds,
    [property: Id(6)] double BatchNormSeconds,
    [property: Id(7)] double PushSeconds,
    [property: Id(8)] double PullSeconds)
{
    /// <summary>Test samples evaluated so far, over all evaluations.</summary>
    [Id(9)] public long EvaluatedSamples { get; init; }
}

/// <param name="Step">The version that was evaluated.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.EvaluationResult")]
public sealed record EvaluationResult(
    [property: Id(0)] long Step,
    [property: Id(1)] long Samples,
    [property: Id(2)] double Loss,
    [property: Id(3)] double Accuracy);

[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointResult")]
public sealed record CheckpointResult(
    [property: Id(0)] string Path,
    [property: Id(1)] long Step,
    [property: Id(2)] string StateSha256,
    [property: Id(3)] string WeightsSha256);

/// <summary>What `run.completed` says besides hashes and speed; kept in the last checkpoint so that a finished run can say it again.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.FinalResult"), MessagePackObject(keyAsPropertyName: true)]
public sealed record FinalResult(
    [property: Id(0)] double TrainLoss,
    [property: Id(1)] double TestLoss,
    [property: Id(2)] double TestAccuracy);

/// <param name="ExitCode">As in the exit-code table.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobFailure")]
public sealed record JobFailure([property: Id(0)] int ExitCode, [property: Id(1)] string Message);
