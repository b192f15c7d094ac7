using System.Globalization;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Views;

/// <summary>The silos of a cluster, and who has their devices.</summary>
internal static class SiloTable
{
    public static TextTable Of(Terminal terminal, IReadOnlyList<ClusterSilo> silos, IReadOnlyList<JobStatus> jobs)
    {
        var table = new TextTable(
            terminal,
            new Column("silo", 0, IsNumber: false),
            new Column("address", 3, IsNumber: false),
            new Column("roles", 2, IsNumber: false),
            new Column("busy", 0),
            new Column("jobs", 1, IsNumber: false),
            new Column("since", 4, IsNumber: false),
            new Column("version", 5, IsNumber: false));
        ILookup<string, BusyDevice> busy = BusyDevice.Of(jobs).ToLookup(device => device.Silo);
        foreach (ClusterSilo silo in silos)
        {
            table.Add(
                silo.Name,
                silo.Address,
                ShortText.Roles(silo),
                silo.Devices > 0 ? $"{busy[silo.Name].Count()}/{silo.Devices}" : "",
                string.Join(", ", busy[silo.Name].Select(device => device.JobId).Distinct()),
                silo.Started?.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "",
                ShortText.Version(silo.Version));
        }

        return table;
    }
}
