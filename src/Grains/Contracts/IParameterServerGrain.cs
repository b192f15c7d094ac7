using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>
/// One partition of a job's parameters: sums gradients, holds the optimizer, serves versions. The key is "{silo}/{job}/{partition}".
/// </summary>
[Alias("ConvNet.IParameterServerGrain")]
public interface IParameterServerGrain : IGrainWithStringKey
{
    /// <summary>
    /// Starts a generation, with the state that <see cref="Assignment.Start"/> says. Rejected, with a sentence, if the partition is to go on but
    /// holds no state of the job, or not that of the first step.
    /// </summary>
    [Alias("Begin"), ResponseTimeout("00:02:00")]
    Task<Answer> BeginAsync(Assignment assignment);

    /// <summary>The sum of one chunk's gradients over one complete subtree of shards.</summary>
    [Alias("Push"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> PushAsync(GradientRoot root, TensorBlock gradients);

    /// <summary>dγ and dβ of one synchronized batch norm: the totals of its backward sums, as <see cref="BatchNormPayload"/>.</summary>
    [Alias("DeliverTotals"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> DeliverTotalsAsync(MessageHeader header, int norm, TensorBlock totals);

    /// <summary>
    /// A chunk of the version before the header's step; waits until the version is there. A standby gives it if it has it, and does not wait.
    /// </summary>
    [Alias("Pull"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<BlockAnswer> PullAsync(MessageHeader header, int chunk);

    /// <summary>Applies a step. The answer comes when the standby, if there is one, has it, too.</summary>
    [Alias("Commit"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> CommitAsync(StepDecision decision);

    /// <summary>What the partition tells its standby: the state in pieces, then each summed chunk and each decision.</summary>
    /// <param name="floats">Null where none belong to the message.</param>
    [Alias("Follow"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<Answer> FollowAsync(PartitionForward forward, TensorBlock? floats);

    /// <summary>A chunk of the weights or of an optimizer slot (<see cref="StateSlot"/>) at the header's version, which must be the newest.</summary>
    [Alias("Read"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<BlockAnswer> ReadAsync(MessageHeader header, int slot, int chunk);

    /// <summary>Overwrites a chunk from a checkpoint, before the first step of the generation.</summary>
    [Alias("Install"), ResponseTimeout("00:00:30")]
    Task<Answer> InstallAsync(MessageHeader header, int slot, int chunk, TensorBlock values);

    /// <summary>
    /// Promises to take no message of a generation before the header's, the new one, and says where the server stands. Wakes whoever waits in it.
    /// </summary>
    [Alias("Freeze"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<FrozenAt> FreezeAsync(MessageHeader header);

    /// <summary>Gives the state up, unless a newer generation has begun or is promised.</summary>
    [Alias("Release")]
    Task ReleaseAsync(MessageHeader header);
}
