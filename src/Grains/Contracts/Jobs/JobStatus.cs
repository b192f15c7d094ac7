namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>A snapshot of a job for people and scripts. Its parts tell the job how far they are a few times a second; asking costs them nothing.</summary>
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

    /// <summary>Mean of the last steps; 0 before there are any.</summary>
    [Id(12)] public double SecondsPerStep { get; init; }

    /// <summary>Those of the current generation.</summary>
    [Id(13)] public WorkerStatus[] Workers { get; init; } = [];

    [Id(14)] public ServerStatus[] Servers { get; init; } = [];

    [Id(15)] public long Generation { get; init; }

    /// <summary>Why the job waits or has ended as it has; null if it runs or ended as planned.</summary>
    [Id(16)] public string? Reason { get; init; }

    [Id(17)] public EvaluationResult? Evaluation { get; init; }

    [Id(18)] public CheckpointResult? Checkpoint { get; init; }

    /// <summary>As its client names it; as the job's own writer does, if it is detached.</summary>
    [Id(19)] public string RunFolder { get; init; } = "";

    [Id(20)] public JobFailure? Failure { get; init; }

    /// <summary>From the step that was asked for on, without a gap, at most <see cref="MostRows"/>: the next question brings the next ones.</summary>
    [Id(21)] public StepRow[] Rows { get; init; } = [];

    /// <summary>From the number that was asked for on, without a gap.</summary>
    [Id(22)] public JobEvent[] Events { get; init; } = [];

    /// <summary>True if rows beyond those of this answer are there already.</summary>
    [Id(23)] public bool HasMore { get; init; }

    /// <summary>Where its checkpoints are; null before the job has a place in the cluster.</summary>
    [Id(40)] public CheckpointPlace? Checkpoints { get; init; }

    [Id(24)] public int Priority { get; init; }

    /// <summary>From 1; null if the job does not wait for workers, or if the cluster could not hold it.</summary>
    [Id(25)] public int? QueuePosition { get; init; }

    public const int MostRows = 2000;

    /// <summary>What went wrong, or else <see cref="Reason"/>; for people.</summary>
    public string? Why => Failure?.Message ?? Reason;

    /// <summary>Who asked as the client of the job is not that any more: somebody else has taken the job up.</summary>
    [Id(41)] public bool IsLeaseLost { get; init; }

    /// <summary>Any single silo may be lost, and the job goes on from the step in progress.</summary>
    [Id(42)] public bool IsProtected { get; init; }

    /// <summary>A client holds its lease; else it is detached, and writes its run folder by itself.</summary>
    [Id(43)] public bool HasClient { get; init; }

    /// <summary>True if nothing will happen to the job any more.</summary>
    public bool HasEnded => State.IsEnd();
}
