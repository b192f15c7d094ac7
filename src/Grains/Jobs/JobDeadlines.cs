namespace ConvNet.Grains.Jobs;

/// <summary>How long a job waits for others before it gives up.</summary>
public sealed record JobDeadlines
{
    /// <summary>Without a sign of work from any worker while the job trains or evaluates.</summary>
    public TimeSpan Work { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Without an order while the job is idle: then its client is gone, and its workers are needed elsewhere.</summary>
    public TimeSpan Client { get; init; } = TimeSpan.FromSeconds(60);
}
