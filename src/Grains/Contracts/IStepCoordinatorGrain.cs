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
    /// <summary>Starts a generation, as <see cref="IParameterServerGrain.BeginAsync"/>.</summary>
    /// <param name="position">Before the assignment's first step; unused when the job goes on.</param>
    [Alias("Begin")]
    Task<Answer> BeginAsync(Assignment assignment, JobPosition position);

    [Alias("ReportWorker"), AlwaysInterleave]
    Task<Answer> ReportAsync(WorkerReport report);

    [Alias("ReportPartition"), AlwaysInterleave]
    Task<Answer> ReportAsync(PartitionReport report);

    [Alias("ReportBatchNorm"), AlwaysInterleave]
    Task<Answer> ReportAsync(BatchNormReport report);

    /// <summary>Asks for <see cref="IJobControlGrain.ProgressAsync"/> at once when the header's number of steps is complete.</summary>
    [Alias("NotifyAt"), AlwaysInterleave]
    Task<Answer> NotifyAtAsync(MessageHeader header);

    /// <summary>What the coordinator knows, for its standby.</summary>
    [Alias("Follow"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> FollowAsync(CoordinatorForward forward);

    /// <summary>How far the job is, with all rows that are kept; while it runs, the coordinator tells the job grain of its own accord.</summary>
    [Alias("Progress"), AlwaysInterleave]
    Task<StepProgress> ProgressAsync();

    /// <summary>
    /// Promises to take no message of a generation before the header's, the new one, and says where the server stands. Wakes whoever waits in it.
    /// </summary>
    [Alias("Freeze"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<FrozenAt> FreezeAsync(MessageHeader header);

    /// <summary>Gives the state up, unless a newer generation has begun or is promised.</summary>
    [Alias("Release")]
    Task ReleaseAsync(MessageHeader header);
}
