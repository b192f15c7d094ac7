using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>
/// One change of generation: all servers are frozen, so that their versions stand still; the first step is chosen from these; then servers
/// and workers start the new generation. A change that is overtaken by another needs no undoing: the later one freezes anew. Pure.
/// </summary>
/// <param name="before">The generation that ends.</param>
/// <param name="generation">The one that begins.</param>
/// <param name="workers">In shard order.</param>
/// <param name="weights">Of each worker: how many shards it gets beside the others.</param>
/// <param name="rotates">True if workers that stay take over whole parts of each other.</param>
internal sealed class GenerationChange(
    Assignment before, long generation, IReadOnlyList<AssignedWorker> workers, double[] weights, int dataShards, bool rotates = false)
{
    public long Generation => generation;

    /// <summary>Goes to every server: no message of an older generation has an effect from then on.</summary>
    public MessageHeader Freeze => new(before.JobId, generation, before.FirstStep);

    /// <summary>What the generation does, once it is known where it starts; null before.</summary>
    public Assignment? Chosen { get; private set; }

    /// <summary>All servers are frozen: chooses the step at which the job goes on.</summary>
    /// <returns>Null, or why only a checkpoint helps: for people, without a full stop.</returns>
    public string? Choose(FrozenAt coordinator, IReadOnlyCollection<FrozenAt> servers)
    {
        (long? first, string? reason) = FirstStep.Choose(coordinator, servers);
        if (first is not { } step)
        {
            return reason!.TrimEnd('.');
        }

        bool areTheSame = workers.Count == before.Workers.Length && workers.All(worker => before.Workers.Any(known => known.Name == worker.Name));
        ShardRange[] ranges = rotates && areTheSame
            ? [.. before.Workers.Select(worker => worker.Shards)]
            : ShardAssignment.Assign(dataShards, weights);
        Chosen = before with
        {
            Generation = generation,
            FirstStep = step,
            Start = AssignmentStart.GoOn,
            Workers = [.. workers.Zip(ranges, (worker, range) => worker with { Shards = range, Incarnation = (int)generation })],
        };
        return null;
    }
}
