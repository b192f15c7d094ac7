namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What a worker must know to derive all its work by itself.</summary>
/// <param name="Worker">Index among the job's workers, in shard order.</param>
/// <param name="Partitions">Keys of the parameter-server grains, by partition.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerAssignment")]
public sealed record WorkerAssignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] string JobJson,
    [property: Id(2)] long Generation,
    [property: Id(3)] int Worker,
    [property: Id(4)] int FirstShard,
    [property: Id(5)] int EndShard,
    [property: Id(6)] int Threads,
    [property: Id(7)] string[] Partitions,
    [property: Id(8)] string ServerKey);
