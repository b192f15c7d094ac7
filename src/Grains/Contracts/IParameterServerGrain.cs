using ConvNet.Engine.Reduction;
using ConvNet.Grains.Protocol;
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

/// <summary>What a partition, the batch-norm activation and the step coordinator must know of the job.</summary>
/// <param name="Version">The step at which this generation goes on.</param>
/// <param name="ShardRanges">First shard of each worker in order, then S.</param>
/// <param name="Partitions">Keys of all partitions.</param>
/// <param name="Workers">Keys of the workers in shard order.</param>
/// <param name="ServerKey">Key of the batch-norm activation and of the step coordinator.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.ServerAssignment")]
public sealed record ServerAssignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] string JobJson,
    [property: Id(2)] long Generation,
    [property: Id(3)] long Version,
    [property: Id(4)] int[] ShardRanges,
    [property: Id(5)] int Partition,
    [property: Id(6)] string[] Partitions,
    [property: Id(7)] string ServerKey,
    [property: Id(8)] string[] Workers)
{
    /// <summary>Every activation of a worker belongs to one generation, so the generation is also its incarnation.</summary>
    public Assignment ToAssignment() => new(
        Generation,
        [.. Workers.Select((name, i) => new AssignedWorker(name, (int)Generation, new ShardRange(ShardRanges[i], ShardRanges[i + 1])))]);
}

/// <summary>Says exactly what a payload is; the key under which duplicates and conflicts are told apart.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.PushHeader")]
public readonly record struct PushHeader(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Worker,
    [property: Id(3)] int Chunk,
    [property: Id(4)] int NodeLevel,
    [property: Id(5)] int NodeIndex)
{
    public TreeNode Node => new(NodeLevel, NodeIndex);

    public MessageHeader ToMessageHeader() => new(Generation, Step, Worker, (int)Generation);
}

[GenerateSerializer, Immutable, Alias("ConvNet.PushReply")]
public readonly record struct PushReply([property: Id(0)] Verdict Verdict, [property: Id(1)] string? Reason);

[GenerateSerializer, Immutable, Alias("ConvNet.PullReply")]
public sealed record PullReply([property: Id(0)] PullVerdict Verdict, [property: Id(1)] TensorBlock? Values);
