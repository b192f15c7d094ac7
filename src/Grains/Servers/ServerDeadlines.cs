namespace ConvNet.Grains.Servers;

/// <summary>When a job's server asks whether its job still needs it, and when it takes silence for a no.</summary>
public sealed record ServerDeadlines
{
    /// <summary>Without a message of the job.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>With a standby that cannot be called, before the job is told: it may know already.</summary>
    public TimeSpan Standby { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>With a job grain that does not answer.</summary>
    public TimeSpan Unreachable { get; init; } = TimeSpan.FromMinutes(2);
}
