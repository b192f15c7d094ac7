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
    Task BeginAsync(ServerAssignment assignment, CheckpointPosition position);

    [Alias("ReportWorker"), AlwaysInterleave]
    Task<PushReply> ReportWorkerAsync(WorkerStepReport report);

    [Alias("ReportPartition"), AlwaysInterleave]
    Task<PushReply> ReportPartitionAsync(PartitionStepReport report);

    /// <summary>All batch norms of a step are complete.</summary>
    /// <param name="nonFinite">The first batch norm with a NaN or infinity and the worker that sent it, or null.</param>
    [Alias("ReportBatchNorm"), AlwaysInterleave]
    Task<PushReply> ReportBatchNormAsync(long generation, long step, string? nonFinite, string? nonFiniteWorker);

    /// <summary>Asks for <see cref="IJobControlGrain.StepsCommittedAsync"/> when this many steps of the job are complete.</summary>
    [Alias("NotifyAt")]
    Task NotifyAtAsync(long generation, long step);

    [Alias("Progress"), AlwaysInterleave]
    Task<StepProgress> ProgressAsync();

    [Alias("Release")]
    Task ReleaseAsync();
}
