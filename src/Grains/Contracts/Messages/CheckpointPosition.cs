namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Where a job goes on: the start, or a checkpoint.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="SkippedSteps">Of those, skipped for non-finite gradients.</param>
/// <param name="SkipsInARow">Of those, since the last applied step.</param>
/// <param name="Epoch">Sums of the epoch in progress.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointPosition")]
public sealed record CheckpointPosition(
    [property: Id(0)] long Step,
    [property: Id(1)] long SkippedSteps,
    [property: Id(2)] int SkipsInARow,
    [property: Id(3)] BlockMetrics Epoch)
{
    public static CheckpointPosition Start { get; } = new(0, 0, 0, default);

    /// <summary>Steps that moved the weights and the running statistics.</summary>
    public long Updates => Step - SkippedSteps;
}
