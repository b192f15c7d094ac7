namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>How a run ended, as scripts and people are told.</summary>
/// <param name="Epochs">Epochs begun, the last one perhaps in part.</param>
/// <param name="TrainLoss">Mean over the samples of the last epoch.</param>
/// <param name="TestAccuracy">0 … 1; null if the run was stopped.</param>
/// <param name="Checkpoint">Absolute path.</param>
/// <param name="SamplesPerWorker">Training samples of committed steps, of every worker that this run has had.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.RunSummary")]
public sealed record RunSummary(
    [property: Id(0)] long Steps,
    [property: Id(1)] long Epochs,
    [property: Id(2)] double TrainLoss,
    [property: Id(3)] double? TestAccuracy,
    [property: Id(4)] string StateSha256,
    [property: Id(5)] string WeightsSha256,
    [property: Id(6)] double ImagesPerSecond,
    [property: Id(7)] KeyValuePair<string, long>[] SamplesPerWorker,
    [property: Id(8)] string Checkpoint);
