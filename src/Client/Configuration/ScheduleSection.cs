namespace ConvNet.Client.Configuration;

public sealed record ScheduleSection
{
    /// <summary>constant, step or cosine.</summary>
    public string Type { get; set; } = "cosine";

    /// <summary>Steps of linear warm-up before the schedule.</summary>
    public long WarmupSteps { get; set; }

    /// <summary>step: epochs between two reductions; 0 = count steps instead.</summary>
    public long EveryEpochs { get; set; } = 1;

    /// <summary>step: steps between two reductions; needs <see cref="EveryEpochs"/> = 0.</summary>
    public long EverySteps { get; set; }

    /// <summary>step: the factor of each reduction.</summary>
    public double Factor { get; set; } = 0.1;

    /// <summary>cosine: the rate at the end.</summary>
    public double MinimumRate { get; set; }
}
