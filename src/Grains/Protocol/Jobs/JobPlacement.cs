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

    public static JobPlacement Plan(string jobId, int dataShards, JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy)
    {
        JobLimits.CheckWorkers(layout.Workers, dataShards);
        (string Key, int Threads)[] devices = ChooseDevices(layout, [.. silos.Where(silo => silo.Workers)], busy);
        List<string> servers = [.. silos.Where(silo => silo.Servers).Select(silo => silo.Name)];
        if (servers.Count == 0)
        {
            throw new ConvNetException(ExitCode.Environment, "no silo of the cluster has the role 'server'; start one with --roles worker,server.");
        }

        int partitions = layout.Partitions > 0 ? layout.Partitions : Math.Max(JobLimits.MinPartitions, servers.Count);
        ShardRange[] ranges = ShardAssignment.Assign(dataShards, [.. devices.Select(_ => 1.0)]);
        string shared = PinnedKey.OfJob(servers[0], jobId);
        return new JobPlacement(
            [.. devices.Zip(ranges, (device, range) => new AssignedWorker(device.Key, 0, range, device.Threads))],
            new ServerKeys(
                [.. Enumerable.Range(0, partitions).Select(p => PinnedKey.Partition(servers[p % servers.Count], jobId, p))], shared, shared, shared));
    }

    /// <summary>Who does what in a generation. Every activation of a worker belongs to one generation, so that is also its incarnation.</summary>
    public Assignment Assign(string jobId, string jobJson, long generation, long firstStep) => new(
        jobId, jobJson, generation, firstStep, [.. Workers.Select(worker => worker with { Incarnation = (int)generation })], Servers);

    /// <summary>Deals workers over the silos, device by device, in the order of the silos' names.</summary>
    private static (string Key, int Threads)[] ChooseDevices(
        JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy)
    {
        var all = silos
            .SelectMany(silo => Enumerable.Range(0, silo.Devices).Select(device => (Silo: silo, Device: device)))
            .Where(choice => !busy.Contains(PinnedKey.Worker(choice.Silo.Name, choice.Device)))
            .OrderBy(choice => choice.Device)
            .ThenBy(choice => choice.Silo.Name, StringComparer.Ordinal)
            .ToList();
        if (all.Count < layout.Workers)
        {
            string there = silos.Count == 0 ? "none" : string.Join(", ", silos.Select(silo => $"{silo.Name} with {silo.Devices}"));
            throw new ConvNetException(
                ExitCode.Environment,
                $"the job asks for {layout.Workers} workers, but the cluster has {all.Count} free devices ({busy.Count} serve other jobs; silos: {there}); " +
                "start more silos, give them more --devices, wait for other jobs, or ask for fewer --workers (the result stays the same).");
        }

        return
        [
            .. all.Take(layout.Workers).Select(choice => (
                PinnedKey.Worker(choice.Silo.Name, choice.Device),
                layout.Threads > 0 ? layout.Threads : choice.Silo.Threads)),
        ];
    }
}
