using ConvNet.Engine.Training;
using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>
/// The silos of a cluster, and who has their devices; their hosts if they name any, their states if one of them is being emptied, and what they compute on
/// if that is not the processor for all.
/// </summary>
internal static class SiloTable
{
    public static TextTable Of(Terminal terminal, IReadOnlyList<ClusterSilo> silos, IReadOnlyList<JobStatus> jobs)
    {
        ILookup<string, BusyDevice> busy = BusyDevice.Of(jobs).ToLookup(device => device.Silo);
        bool hasHosts = silos.Any(silo => silo.Host is not null);
        bool hasStates = silos.Any(silo => silo.State != SiloState.Active);
        Column[] hosts = hasHosts ? [new Column("host", 3, IsNumber: false)] : [];
        Column[] states = hasStates ? [new Column("state", 0, IsNumber: false)] : [];
        bool hasGpus = silos.Any(silo => silo.Compute != CpuDevice.CommonName);
        Column[] devices = hasGpus ? [new Column("computes on", 2, IsNumber: false)] : [];
        var table = new TextTable(
            terminal,
            [
                new Column("silo", 0, IsNumber: false),
                new Column("address", 3, IsNumber: false),
                new Column("roles", 2, IsNumber: false),
                .. hosts,
                .. states,
                .. devices,
                new Column("busy", 0),
                new Column("jobs", 1, IsNumber: false),
                new Column("since", 4, IsNumber: false),
                new Column("version", 5, IsNumber: false),
            ]);
        foreach (ClusterSilo silo in silos)
        {
            string[] host = hasHosts ? [silo.Host ?? ""] : [];
            string[] state = hasStates ? [silo.State.ToString().ToLowerInvariant()] : [];
            string[] device = hasGpus ? [silo.Devices > 0 ? silo.Compute : ""] : [];
            table.Add(
                [
                    silo.Name,
                    silo.Address,
                    ShortText.Roles(silo),
                    .. host,
                    .. state,
                    .. device,
                    silo.Devices > 0 ? $"{busy[silo.Name].Count()}/{silo.Devices}" : "",
                    string.Join(", ", busy[silo.Name].Select(device => device.JobId).Distinct()),
                    silo.Started?.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "",
                    ShortText.Version(silo.Version),
                ]);
        }

        return table;
    }
}
