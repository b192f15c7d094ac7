namespace ConvNet.Grains.Contracts.Messages;

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
