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

    /// <summary>The best checkpoint is among the best few evaluations, unless somebody deletes checkpoints by hand.</summary>
    private const int MostByMerit = 100;

    /// <summary>
    /// Which checkpoints stay when the next one is written. The best evaluation has the highest accuracy, then the lower loss, then the smaller step.
    /// </summary>
    /// <param name="evaluations">So far.</param>
    public CheckpointRetention Retention(IEnumerable<EvaluationResult> evaluations) => new(
        Keep,
        KeepEvery,
        [
            .. evaluations.OrderByDescending(result => result.Accuracy).ThenBy(result => result.Loss).ThenBy(result => result.Step)
                .Select(result => result.Step).Take(MostByMerit),
        ]);
}
