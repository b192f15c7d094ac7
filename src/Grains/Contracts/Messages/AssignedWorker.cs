namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A worker of one generation and the shards that it computes.</summary>
/// <param name="Name">{silo}/{device}.</param>
/// <param name="Incarnation">Grows whenever the worker's activation starts anew.</param>
public sealed record AssignedWorker(string Name, int Incarnation, ShardRange Shards)
{
    public override string ToString() => $"worker {Name}";
}
