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
    /// <summary>Starts a generation, as <see cref="IParameterServerGrain.BeginAsync"/>.</summary>
    /// <param name="batchesSeen">Batches that the running statistics have seen before the assignment's first step; unused when they go on.</param>
    [Alias("Begin")]
    Task<Answer> BeginAsync(Assignment assignment, long batchesSeen);

    /// <summary>
    /// Adds one worker's subtree roots. A worker that waits gets the total over the whole batch when the tree is complete; an answer
    /// without it means that the worker must ask again.
    /// </summary>
    /// <param name="sums">As <see cref="BatchNormPayload"/>.</param>
    [Alias("Reduce"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<BlockAnswer> ReduceAsync(NormRoots roots, TensorBlock sums);

    [Alias("Commit"), AlwaysInterleave]
    Task<Answer> CommitAsync(StepDecision decision);

    /// <summary>The running statistics of a version, for the standby.</summary>
    [Alias("Follow"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> FollowAsync(BatchNormForward forward);

    /// <summary>Running mean then running variance of one batch norm at the header's version, which must be the newest.</summary>
    [Alias("Read"), AlwaysInterleave]
    Task<BlockAnswer> ReadAsync(MessageHeader header, int norm);

    /// <summary>Overwrites running statistics from a checkpoint, before the first step of the generation.</summary>
    [Alias("Install")]
    Task<Answer> InstallAsync(MessageHeader header, int norm, TensorBlock statistics);

    /// <summary>
    /// Promises to take no message of a generation before the header's, the new one, and says where the server stands. Wakes whoever waits in it.
    /// </summary>
    [Alias("Freeze"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<FrozenAt> FreezeAsync(MessageHeader header);

    /// <summary>Gives the state up, unless a newer generation has begun or is promised.</summary>
    [Alias("Release")]
    Task ReleaseAsync(MessageHeader header);
}
