using ConvNet.Silo.Devices;

namespace ConvNet.Client.Configuration;

/// <summary>How the job is spread over a cluster. Never changes the result.</summary>
public sealed record LayoutSection
{
    public const long DefaultWorkers = 2;

    /// <summary>Null = <see cref="DefaultWorkers"/>, or 1 if there is only one data shard.</summary>
    public long? Workers { get; set; }

    /// <summary>The job starts with so many, and takes on the others later; null = all of them.</summary>
    public long? MinWorkers { get; set; }

    /// <summary>Silos of the local cluster.</summary>
    public long Silos { get; set; } = 1;

    /// <summary>Compute threads per worker; null = max(1, cores ÷ workers).</summary>
    public long? Threads { get; set; }

    /// <summary>What the workers of a local cluster compute on, as a <see cref="DeviceChoice"/>; null = auto.</summary>
    public string? Device { get; set; }

    /// <summary>Parameter-server partitions; null = one for each silo that serves, at least two.</summary>
    public long? Partitions { get; set; }

    /// <summary>Copies of each server on another silo: 0 or 1; null = 1 in a cluster, which needs two silos that serve, 0 in one process.</summary>
    public long? Standbys { get; set; }
}
