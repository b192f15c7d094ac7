namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>
/// What a job does besides training, and how far it goes: composed by its client, carried out by the job grain. Nothing of it changes
/// what a step computes.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.TrainingPlan")]
public sealed record TrainingPlan
{
    /// <summary>Completed steps at which the job saves and stops, without an evaluation; null: only at its end.</summary>
    [Id(0)] public long? StopAfter { get; init; }

    /// <summary>Evaluates, then saves, whenever the completed steps are a multiple of this, and at the end of the job; 0: never.</summary>
    [Id(1)] public long EvaluateEvery { get; init; }

    /// <summary>Saves whenever the completed steps are a multiple of this, too; 0: not.</summary>
    [Id(2)] public long SaveEvery { get; init; }

    /// <summary>Saves when the last checkpoint is so many minutes old, too; 0: not.</summary>
    [Id(3)] public double SaveMinutes { get; init; }

    /// <summary>How many of the newest checkpoints stay; the best one stays, too.</summary>
    [Id(4)] public int Keep { get; init; } = 2;

    /// <summary>Checkpoints whose step is a multiple of this stay; 0: none.</summary>
    [Id(5)] public long KeepEvery { get; init; }

    /// <summary>Those of the run so far, if it goes on from a checkpoint.</summary>
    [Id(6)] public EvaluationResult[] Evaluations { get; init; } = [];
}
