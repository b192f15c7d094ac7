using MessagePack;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>What `run.completed` says besides hashes and speed; kept in the last checkpoint so that a finished run can say it again.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.FinalResult"), MessagePackObject(keyAsPropertyName: true)]
public sealed record FinalResult(
    [property: Id(0)] double TrainLoss,
    [property: Id(1)] double TestLoss,
    [property: Id(2)] double TestAccuracy);
