using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>Which silo does what for a job: a pure function of the silos, the workers that serve other jobs, and the layout.</summary>
/// <param name="Workers">In shard order; their incarnations follow from the generation (<see cref="Assign"/>).</param>
internal sealed record JobPlacement(AssignedWorker[] Workers, ServerKeys Servers)
{
    /// <summary>All silos that the job cannot do without.</summary>
    public IEnumerable<string> Silos => Workers.Select(worker => worker.Name).Concat(Servers.All).Select(PinnedKey.SiloOf).Distinct();

    /// <summary>Why these silos cannot hold the job, whoever else is there, or null if they can.</summary>
    public static string? Obstacle(JobLayout layout, IReadOnlyList<SiloOffer> silos)
    {
        if (!silos.Any(silo => silo.Servers))
        {
            return "no silo of the cluster has the role 'server'; start one with --roles worker,server.";
        }

        int all = silos.Where(silo => silo.Workers).Sum(silo => silo.Devices);
        return all >= layout.Least ? null :
            $"the job asks for {Needed(layout)}, but the cluster has {all} devices in all ({Offers(silos)}); " +
            "start more silos, give them more --devices, or ask for fewer --workers (the result stays the same).";
    }

    /// <param name="home">The silo on which the job has written checkpoints before, and where they may be found; or null.</param>
    /// <exception cref="ConvNetException">There is no room now (exit code 4), or there are fewer shards than workers (3).</exception>
    public static JobPlacement Plan(
        string jobId, int dataShards, JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy, string? home = null)
    {
        JobLimits.CheckWorkers(layout.Workers, dataShards);
        if (Obstacle(layout, silos) is { } obstacle)
        {
            throw new ConvNetException(ExitCode.Environment, obstacle);
        }

        AssignedWorker[] workers = Choose(layout, silos, busy);
        List<string> servers = [.. silos.Where(silo => silo.Servers).Select(silo => silo.Name)];
        int partitions = layout.Partitions > 0 ? layout.Partitions : Math.Max(JobLimits.UsualPartitions, servers.Count);
        ShardRange[] ranges = ShardAssignment.Assign(dataShards, [.. workers.Select(_ => 1.0)]);
        var keys = new ServerKeys(
            [.. Enumerable.Range(0, partitions).Select(p => PinnedKey.Partition(On(p), jobId, p))],
            PinnedKey.OfJob(On(Math.Min(1, partitions - 1)), jobId),
            PinnedKey.OfJob(On(0), jobId),
            PinnedKey.OfJob(home is not null && servers.Contains(home) ? home : On(0), jobId));
        return new JobPlacement(
            [.. workers.Zip(ranges, (worker, range) => worker with { Shards = range })],
            layout.Standbys > 0 && servers.Count > 1 ? ServerRoles.WithStandbys(keys, servers, ServerRoles.HostsOf(silos)) : keys);

        // The batch norms are asked all the time, so they get a silo for themselves among the single servers, unless the job wants all its state in one
        // place; the checkpoint writer is on the first, where the folder that the client names is most likely to be.
        string On(int turn) => servers[turn % servers.Count];
    }

    /// <summary>Free devices in the order in which they are taken, GPUs first; their shards are not dealt yet.</summary>
    public static IEnumerable<AssignedWorker> Free(JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy) => silos
        .Where(silo => silo.Workers)
        .SelectMany(silo => Enumerable.Range(0, silo.Devices).Select(device => (Silo: silo, Device: device)))
        .OrderBy(choice => choice.Silo.IsOnProcessor(choice.Device))
        .ThenBy(choice => choice.Device)
        .ThenBy(choice => choice.Silo.Name, StringComparer.Ordinal)
        .Select(choice => new AssignedWorker(
            PinnedKey.Worker(choice.Silo.Name, choice.Device), 0, default, layout.Threads > 0 ? layout.Threads : choice.Silo.Threads))
        .Where(worker => !busy.Contains(worker.Name));

    /// <summary>Who does what in a generation. Every activation of a worker belongs to one generation, so that is also its incarnation.</summary>
    public Assignment Assign(string jobId, string jobJson, long generation, long firstStep) => new(
        jobId, jobJson, generation, firstStep, [.. Workers.Select(worker => worker with { Incarnation = (int)generation })], Servers);

    private static AssignedWorker[] Choose(JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy)
    {
        AssignedWorker[] free = [.. Free(layout, silos, busy)];
        if (free.Length < layout.Least)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"the job asks for {Needed(layout)}, but the cluster has {free.Length} free devices ({busy.Count} serve other jobs; " +
                $"{Offers(silos)}); start more silos, give them more --devices, wait for other jobs, or ask for fewer --workers " +
                "(the result stays the same).");
        }

        return free[..Math.Min(free.Length, layout.Workers)];
    }

    private static string Needed(JobLayout layout) => layout.Least == layout.Workers ? $"{layout.Workers} workers" : $"at least {layout.Least} workers";

    private static string Offers(IReadOnlyList<SiloOffer> silos)
    {
        string[] offers = [.. silos.Where(silo => silo.Workers).Select(silo => $"{silo.Name} with {silo.Devices}")];
        return $"silos: {(offers.Length == 0 ? "none" : string.Join(", ", offers))}";
    }
}
