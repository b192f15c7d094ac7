namespace ConvNet.Grains.Workers;

/// <summary>When a reserved worker without an assignment asks whether its job still needs it, and when it takes silence for a no.</summary>
public sealed record WorkerDeadlines
{
    /// <summary>From one question to the next.</summary>
    public TimeSpan Question { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>With a job grain that does not answer.</summary>
    public TimeSpan Unreachable { get; init; } = TimeSpan.FromMinutes(2);
}
