namespace ConvNet.Grains.Contracts.Jobs;

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
