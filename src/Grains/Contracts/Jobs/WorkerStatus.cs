namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>How far one worker is. Samples and seconds are sums over all its generations of the job.</summary>
/// <param name="Step">Steps of the job until the last one that it has reported.</param>
/// <param name="Samples">Of the steps that it has reported; of a step that ran again, once.</param>
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

    /// <summary>Of its assignment; 0: it has none.</summary>
    [Id(10)] public long Generation { get; init; }

    [Id(11)] public WorkerPhase Phase { get; init; }

    /// <summary>For how long it has been in this phase.</summary>
    [Id(12)] public double PhaseSeconds { get; init; }

    [Id(13)] public CompletedSteps Completed { get; init; }
}
