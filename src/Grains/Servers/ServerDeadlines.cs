namespace ConvNet.Grains.Servers;

/// <summary>When a job's server asks whether its job still needs it, and when it takes silence for a no.</summary>
public sealed record ServerDeadlines
{
    /// <summary>Without a message of the job.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>With a job grain that does not answer.</summary>
    public TimeSpan Unreachable { get; init; } = TimeSpan.FromMinutes(2);
}
