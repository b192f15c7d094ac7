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

    /// <summary>In the order of steps: all that the coordinator keeps (at most 2,000), or those that the job grain has not acknowledged yet.</summary>
    [Id(3)] public StepRow[] Recent { get; init; } = [];

    [Id(4)] public string[] Warnings { get; init; } = [];

    [Id(5)] public long Generation { get; init; }

    /// <summary>
    /// Seconds that the change to this generation cost: from the last step committed before it, or from the order to run if the job was at rest,
    /// to the first one committed in it. Null until then, and in the first generation.
    /// </summary>
    [Id(6)] public double? GapSeconds { get; init; }

    /// <summary>
    /// Seconds since the last committed step, if no order reaches further, else 0. Told to who asks for all rows: one that has just begun to lead the job on
    /// cannot know since when it rests.
    /// </summary>
    [Id(7)] public double RestSeconds { get; init; }

    /// <summary>
    /// The longest time, in seconds, for which the coordinator has waited for an answer of the job grain since the last generation's first step. Told as
    /// <see cref="RestSeconds"/>.
    /// </summary>
    [Id(8)] public double SilenceSeconds { get; init; }
}
