using ConvNet.Grains.Contracts.Messages;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Decides when a step is complete and commits it everywhere, once. Sits beside partition 0 in an activation of its own, so that a
/// commit never waits behind bulk data. The key is "{silo}/{job}".
/// </summary>
[Alias("ConvNet.IStepCoordinatorGrain")]
public interface IStepCoordinatorGrain : IGrainWithStringKey
{
    [Alias("Begin")]
    Task<Answer> BeginAsync(Assignment assignment, JobPosition position);

    [Alias("ReportWorker"), AlwaysInterleave]
    Task<Answer> ReportAsync(WorkerReport report);

    [Alias("ReportPartition"), AlwaysInterleave]
    Task<Answer> ReportAsync(PartitionReport report);

    [Alias("ReportBatchNorm"), AlwaysInterleave]
    Task<Answer> ReportAsync(BatchNormReport report);

    /// <summary>Asks for <see cref="IJobControlGrain.StepsCommittedAsync"/> when the header's number of steps is complete.</summary>
    [Alias("NotifyAt"), AlwaysInterleave]
    Task<Answer> NotifyAtAsync(MessageHeader header);

    [Alias("Progress"), AlwaysInterleave]
    Task<StepProgress> ProgressAsync();

    /// <summary>Gives the state up, unless a newer generation has begun.</summary>
    [Alias("Release")]
    Task ReleaseAsync(MessageHeader header);
}
