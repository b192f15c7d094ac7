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
/// <param name="servers">Those of the generation that begins; how far their standbys are is found out.</param>
/// <param name="rotates">True if workers that stay take over whole parts of each other.</param>
internal sealed class GenerationChange(
    Assignment before, long generation, IReadOnlyList<AssignedWorker> workers, double[] weights, int dataShards, ServerKeys servers, bool rotates = false)
{
    private readonly List<int> _promoted = [];

    public long Generation => generation;

    /// <summary>Goes to every server: no message of an older generation has an effect from then on.</summary>
    public MessageHeader Freeze => new(before.JobId, generation, before.FirstStep);

    public ServerKeys Servers { get; private set; } = servers;

    /// <summary>Numbers of the servers that hold no state, and whose standbys go on in their places.</summary>
    public IReadOnlyList<int> Promoted => _promoted;

    /// <summary>Steps that are decided; 0 before that is known.</summary>
    public long Decided { get; private set; }

    /// <summary>What the generation does, once it is known where it starts; null before.</summary>
    public Assignment? Chosen { get; private set; }

    /// <summary>
    /// All servers are frozen: chooses the step at which the job goes on. A server without state is lost, though its silo is there: its standby, if that
    /// has the state, goes on in its place.
    /// </summary>
    /// <param name="frozen">All partitions and the batch norms.</param>
    /// <param name="standbys">By number of the server; null: none, or none that has answered, which is left out.</param>
    /// <returns>Null, or why only a checkpoint helps: for people, without a full stop.</returns>
    public string? Choose(FrozenAt coordinator, IReadOnlyList<FrozenAt> frozen, IReadOnlyList<FrozenAt?>? standbys = null)
    {
        FrozenAt[] serving = [.. frozen, coordinator];
        for (int server = 0; server < serving.Length; server++)
        {
            if (serving[server].Answer.Verdict == Verdict.Rejected && standbys?.ElementAtOrDefault(server) is { Answer.Verdict: Verdict.Accepted } standby)
            {
                serving[server] = standby;
                _promoted.Add(server);
            }
        }

        Servers = ServerRoles.Promote(Servers, _promoted);
        (long? first, string? reason, StepDecision? missed) = FirstStep.Choose(serving[^1], serving[..^1]);
        if (first is not { } step)
        {
            return reason!.TrimEnd('.');
        }

        bool areTheSame = workers.Count == before.Workers.Length && workers.All(worker => before.Workers.Any(known => known.Name == worker.Name));
        ShardRange[] ranges = rotates && areTheSame
            ? [.. before.Workers.Select(worker => worker.Shards)]
            : ShardAssignment.Assign(dataShards, weights);
        Decided = missed is null ? serving[^1].Version : missed.Step + 1;
        Chosen = before with
        {
            Servers = Servers with { Standbys = [.. Servers.Standbys.Select((standby, server) => StandbyAt(standby, standbys?.ElementAtOrDefault(server)))] },
            Missed = missed,
            Generation = generation,
            FirstStep = step,
            Start = AssignmentStart.GoOn,
            Workers = [.. workers.Zip(ranges, (worker, range) => worker with { Shards = range, Incarnation = (int)generation })],
        };
        return null;
    }

    /// <summary>A standby that has nothing to go on from yet gets it in the generation that begins.</summary>
    private static Standby? StandbyAt(Standby? standby, FrozenAt? frozen) => standby is null || frozen is not { } at ? null
        : standby with { Version = at.Answer.Verdict == Verdict.Accepted ? at.Version : Standby.Empty };
}
