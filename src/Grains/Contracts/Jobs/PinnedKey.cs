namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>Keys of pinned grains: the silo's name, then what the grain is.</summary>
public static class PinnedKey
{
    public static string Worker(string silo, int device) => $"{silo}/{device}";

    public static string OfJob(string silo, string jobId) => $"{silo}/{jobId}";

    public static string Partition(string silo, string jobId, int partition) => $"{silo}/{jobId}/{partition}";

    public static string SiloOf(string key) => key[..key.IndexOf('/')];
}
