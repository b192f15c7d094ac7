using ConvNet.Grains.Checkpoints;

namespace ConvNet.Grains.Jobs;

/// <summary>How long a job waits for others before it gives up.</summary>
public sealed record JobDeadlines
{
    /// <summary>Without a question or an order from the client that holds the lease: then it is gone, and the job's workers are needed elsewhere.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For enough free workers when an attached job begins: silos may be just joining.</summary>
    public TimeSpan Placement { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>That a job without its client waits for somebody to take it up.</summary>
    public TimeSpan Orphan { get; init; } = CheckpointCache.DefaultKeep;

    /// <summary>After its end, a job keeps the rows of its last steps for a client that has not read them yet.</summary>
    public TimeSpan Rows { get; init; } = TimeSpan.FromSeconds(60);
}
