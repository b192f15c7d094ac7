namespace ConvNet.Grains.Contracts.Jobs;

[GenerateSerializer, Immutable, Alias("ConvNet.CheckpointResult")]
public sealed record CheckpointResult(
    [property: Id(0)] string Path,
    [property: Id(1)] long Step,
    [property: Id(2)] string StateSha256,
    [property: Id(3)] string WeightsSha256);
