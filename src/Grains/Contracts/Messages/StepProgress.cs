using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>How far a job is, as the coordinator sees it.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.StepProgress")]
public sealed record StepProgress
{
    /// <summary>After the last step that every server has taken.</summary>
    [Id(0)] public JobPosition Position { get; init; } = JobPosition.Start;

    /// <summary>Training samples and seconds in training steps, the first 5 steps left out.</summary>
    [Id(1)] public long TimedSamples { get; init; }

    [Id(2)] public double TimedSeconds { get; init; }

    [Id(3)] public StepRow[] Recent { get; init; } = [];

    [Id(4)] public string[] Warnings { get; init; } = [];

    /// <summary>Seconds between the last step committed before this generation and the first one committed in it; null before that, and in the first.</summary>
    [Id(5)] public double? GapSeconds { get; init; }
}
