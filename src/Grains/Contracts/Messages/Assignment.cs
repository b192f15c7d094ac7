using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Who computes what in one generation. A message names its worker by the index in <see cref="Workers"/>.</summary>
public sealed record Assignment(long Generation, IReadOnlyList<AssignedWorker> Workers)
{
    public static Assignment Create(long generation, int shards, IReadOnlyList<(string Name, int Incarnation, double Weight)> workers)
    {
        ShardRange[] ranges = ShardAssignment.Assign(shards, [.. workers.Select(worker => worker.Weight)]);
        return new Assignment(generation, [.. workers.Zip(ranges, (worker, range) => new AssignedWorker(worker.Name, worker.Incarnation, range))]);
    }
}
