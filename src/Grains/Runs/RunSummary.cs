using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Runs;

/// <summary>How a run ended, as scripts and people are told.</summary>
/// <param name="Epochs">Epochs begun, the last one perhaps in part.</param>
/// <param name="TrainLoss">Mean over the samples of the last epoch.</param>
/// <param name="TestAccuracy">0 … 1; null if the run was stopped.</param>
/// <param name="Checkpoint">Absolute path.</param>
public sealed record RunSummary(
    long Steps,
    long Epochs,
    double TrainLoss,
    double? TestAccuracy,
    string StateSha256,
    string WeightsSha256,
    double ImagesPerSecond,
    IReadOnlyList<KeyValuePair<string, long>> SamplesPerWorker,
    string Checkpoint)
{
    public static RunSummary From(JobStatus status, CheckpointResult checkpoint, double? testAccuracy) => new(
        checkpoint.Step,
        (checkpoint.Step + status.StepsPerEpoch - 1) / status.StepsPerEpoch,
        status.TrainLoss,
        testAccuracy,
        checkpoint.StateSha256,
        checkpoint.WeightsSha256,
        status.ImagesPerSecond,
        [.. status.Workers.Select(worker => KeyValuePair.Create(worker.Name, worker.Samples))],
        checkpoint.Path);
}
