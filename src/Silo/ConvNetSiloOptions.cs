using ConvNet.Grains.Checkpoints;
using ConvNet.Silo.Clustering;

namespace ConvNet.Silo;

/// <summary>How one silo process takes part in a cluster.</summary>
public sealed record ConvNetSiloOptions
{
    public required string Name { get; init; }

    /// <summary>The primary's silo endpoint (dev clustering): the silo whose own port it is holds the membership.</summary>
    public required DevCluster Cluster { get; init; }

    public int Port { get; init; } = 11111;

    public int Gateway { get; init; } = 30000;

    /// <summary>Workers that this silo can run.</summary>
    public int Devices { get; init; } = 1;

    /// <summary>Compute threads per worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Folder for the checkpoints of jobs whose clients do not share this machine's disk; null: in the user's cache.</summary>
    public string? Cache { get; init; }

    /// <summary>How long a checkpoint there is kept when its job has ended or is orphaned.</summary>
    public TimeSpan OrphanTime { get; init; } = CheckpointCache.DefaultKeep;

    public bool Workers { get; init; } = true;

    public bool Servers { get; init; } = true;
}
