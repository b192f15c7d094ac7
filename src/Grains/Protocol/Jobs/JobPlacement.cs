using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>Which silo does what for a job: a pure function of the silos, the workers that serve other jobs, and the layout.</summary>
internal sealed record JobPlacement(
    (string Silo, string Key, int Threads)[] Workers,
    int[] ShardRanges,
    string[] Partitions,
    string ServerKey)
{
    /// <summary>All silos that the job cannot do without.</summary>
    public IEnumerable<string> Silos =>
        Workers.Select(worker => worker.Silo).Concat(Partitions.Select(PinnedKey.SiloOf)).Append(PinnedKey.SiloOf(ServerKey)).Distinct();

    public static JobPlacement Plan(string jobId, int dataShards, JobLayout layout, IReadOnlyList<SiloOffer> silos, IReadOnlySet<string> busy)
    {
        JobLimits.CheckWorkers(layout.Workers, dataShards);
        var workers = ChooseWorkers(layout, [.. silos.Where(silo => silo.Workers)], busy);
        List<string> servers = [.. silos.Where(silo => silo.Servers).Select(silo => silo.Name)];
        if (servers.Count == 0)
        {
            throw new ConvNetException(ExitCode.Environment, "no silo of the cluster has the role 'server'; start one with --roles worker,server");
        }

        int partitions = layout.Partitions > 0 ? layout.Partitions : Math.Max(JobLimits.MinPartitions, servers.Count);
        return new JobPlacement(
            workers,
            [.. ShardAssignment.Assign(dataShards, [.. workers.Select(_ => 1.0)]).Select(range => range.First), dataShards],
            [.. Enumerable.Range(0, partitions).Select(p => PinnedKey.Partition(servers[p % servers.Count], jobId, p))],
            PinnedKey.OfJob(servers[0], jobId));
    }

    /// <summary>Deals workers over the silos, device by device, in the order of the silos' names.</summary>
    private static (string Silo, string Key, int Threads)[] ChooseWorkers(
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
                "start more silos, give them more --devices, wait for other jobs, or ask for fewer --workers (the result stays the same)");
        }

        return
        [
            .. all.Take(layout.Workers).Select(choice => (
                choice.Silo.Name,
                PinnedKey.Worker(choice.Silo.Name, choice.Device),
                layout.Threads > 0 ? layout.Threads : choice.Silo.Threads)),
        ];
    }
}
