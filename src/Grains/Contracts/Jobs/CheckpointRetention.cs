namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Which checkpoints of a run stay when a new one is written; the others are deleted.</summary>
/// <param name="Newest">The newest so many that verify.</param>
/// <param name="EverySteps">Those whose step is a multiple of this; 0 = none.</param>
/// <param name="ByMerit">Evaluated steps, the best one first: the first of them that has a whole checkpoint stays.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointRetention")]
public sealed record CheckpointRetention(
    [property: Id(0)] int Newest,
    [property: Id(1)] long EverySteps,
    [property: Id(2)] long[] ByMerit)
{
    /// <summary>Where others fetch them from: the newest two.</summary>
    public static CheckpointRetention OfCache { get; } = new(2, 0, []);
}
