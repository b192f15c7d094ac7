using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// Synchronizes batch norm between workers, and owns the running statistics. Serves nothing else, so that a small message never
/// waits behind a bulk one. The key is "{silo}/{job}".
/// </summary>
[Alias("ConvNet.IBatchNormGrain")]
public interface IBatchNormGrain : IGrainWithStringKey
{
    /// <param name="batchesSeen">Batches that the running statistics have seen before this step.</param>
    [Alias("Begin")]
    Task BeginAsync(ServerAssignment assignment, long batchesSeen);

    /// <summary>Adds one worker's subtree roots; completes when the tree is complete, with the totals.</summary>
    /// <param name="roots">As <see cref="BatchNormPayload"/>, in the order of the worker's plan.</param>
    [Alias("Reduce"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<PullReply> ReduceAsync(BatchNormHeader header, int rootCount, TensorBlock roots);

    [Alias("Commit"), AlwaysInterleave]
    Task<PushReply> CommitAsync(long generation, long step, CommitOrder order);

    /// <summary>Running mean then running variance of one batch norm at a version, which must be the newest.</summary>
    [Alias("Read"), AlwaysInterleave]
    Task<TensorBlock> ReadAsync(long generation, long version, int norm);

    /// <summary>Overwrites running statistics from a checkpoint.</summary>
    [Alias("Install")]
    Task InstallAsync(int norm, TensorBlock statistics);

    [Alias("Release")]
    Task ReleaseAsync();
}
