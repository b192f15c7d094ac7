namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A worker of one generation and the shards that it computes.</summary>
/// <param name="Name">Its key: {silo}/{device}.</param>
/// <param name="Incarnation">Grows whenever the worker's activation starts anew.</param>
/// <param name="Threads">Compute threads.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.AssignedWorker")]
public sealed record AssignedWorker(
    [property: Id(0)] string Name,
    [property: Id(1)] int Incarnation,
    [property: Id(2)] ShardRange Shards,
    [property: Id(3)] int Threads)
{
    public override string ToString() => $"worker {Name}";
}
