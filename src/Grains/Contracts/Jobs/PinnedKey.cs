namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Keys of pinned grains: the silo's name, then what the grain is.</summary>
public static class PinnedKey
{
    public static string Worker(string silo, int device) => $"{silo}/{device}";

    public static string OfJob(string silo, string jobId) => $"{silo}/{jobId}";

    public static string Partition(string silo, string jobId, int partition) => $"{silo}/{jobId}/{partition}";

    /// <summary>Of the grain that answers for a silo.</summary>
    public static string Pulse(string silo) => $"{silo}/pulse";

    /// <summary>Of the grain that empties a silo.</summary>
    public static string Drain(string silo) => $"{silo}/drain";

    /// <summary>Of a key of <see cref="OfJob"/>.</summary>
    public static string JobOf(string key) => key[(key.IndexOf('/') + 1)..];

    public static string SiloOf(string key) => key[..key.IndexOf('/')];
}
