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
    /// <summary>Starts or re-starts the partition at a generation; a new one initializes its parameters from the seed.</summary>
    [Alias("Begin"), ResponseTimeout("00:02:00")]
    Task BeginAsync(ServerAssignment assignment);

    /// <summary>The sum of one chunk's gradients over one complete subtree of shards.</summary>
    [Alias("Push"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<PushReply> PushAsync(PushHeader header, TensorBlock gradients);

    /// <summary>dγ and dβ of one synchronized batch norm: the totals of its backward sums, as <see cref="BatchNormPayload"/>.</summary>
    [Alias("DeliverTotals"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<PushReply> DeliverTotalsAsync(long generation, long step, int norm, TensorBlock totals);

    /// <summary>A chunk of one version; waits until the version is there.</summary>
    [Alias("Pull"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<PullReply> PullAsync(long generation, long version, int worker, int chunk);

    [Alias("Commit"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<PushReply> CommitAsync(long generation, long step, CommitOrder order);

    /// <summary>A chunk of the weights (slot −1) or of an optimizer slot at a version, which must be the newest, for a checkpoint.</summary>
    [Alias("Read"), AlwaysInterleave, ResponseTimeout("00:00:30")]
    Task<TensorBlock> ReadAsync(long generation, long version, int slot, int chunk);

    /// <summary>Overwrites a chunk from a checkpoint, before the first step after <see cref="BeginAsync"/>.</summary>
    [Alias("Install"), ResponseTimeout("00:00:30")]
    Task InstallAsync(int slot, int chunk, TensorBlock values);

    /// <summary>Gives the state up.</summary>
    [Alias("Release")]
    Task ReleaseAsync();
}
