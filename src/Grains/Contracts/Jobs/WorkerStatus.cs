namespace ConvNet.Grains.Contracts.Jobs;

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

    [Id(10)] public long Generation { get; init; }

    [Id(11)] public WorkerPhase Phase { get; init; }

    /// <summary>For how long it has been in this phase.</summary>
    [Id(12)] public double PhaseSeconds { get; init; }
}
