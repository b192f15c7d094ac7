using ConvNet.Grains.Checkpoints;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Devices;

namespace ConvNet.Silo;

/// <summary>How one silo process takes part in a cluster.</summary>
public sealed record ConvNetSiloOptions
{
    public required string Name { get; init; }

    public required SiloCluster Cluster { get; init; }

    public required SiloPorts Ports { get; init; }

    /// <summary>Port for health and metrics, or null for none.</summary>
    public int? Http { get; init; }

    /// <summary>Workers that this silo can run.</summary>
    public int Devices { get; init; } = 1;

    /// <summary>What they compute on.</summary>
    public DeviceChoice Device { get; init; } = DeviceChoice.Automatic;

    /// <summary>Compute threads per worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Folder for the checkpoints of jobs whose clients do not share this machine's disk; null: in the user's cache.</summary>
    public string? Cache { get; init; }

    /// <summary>How long a checkpoint there is kept when its job has ended or is orphaned.</summary>
    public TimeSpan OrphanTime { get; init; } = CheckpointCache.DefaultKeep;

    /// <summary>What the silo may be lost with; null if it does not say.</summary>
    public string? Host { get; init; }

    public bool Workers { get; init; } = true;

    public bool Servers { get; init; } = true;
}
