using ConvNet.Client.Configuration;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>When a run saves besides the ends of its epochs, and which checkpoints it keeps.</summary>
/// <param name="evaluations">Of the run so far.</param>
internal sealed class SavePlan(CheckpointSection settings, IEnumerable<EvaluationResult> evaluations, TimeProvider clock)
{
    /// <summary>The best checkpoint is among the best few evaluations, unless somebody deletes checkpoints by hand.</summary>
    private const int MostByMerit = 100;

    private readonly List<EvaluationResult> _evaluations = [.. evaluations];
    private long _lastSave = clock.GetTimestamp();

    /// <summary>True if the last checkpoint is old enough for another one, whatever the step.</summary>
    public bool IsDue => settings.EveryMinutes > 0 && clock.GetElapsedTime(_lastSave).TotalMinutes >= settings.EveryMinutes;

    /// <summary>The next step after <paramref name="step"/> at which to save.</summary>
    public long NextStep(long step) => settings.EverySteps > 0 ? (step / settings.EverySteps + 1) * settings.EverySteps : long.MaxValue;

    public void Evaluated(EvaluationResult result) => _evaluations.Add(result);

    public void Saved() => _lastSave = clock.GetTimestamp();

    /// <summary>The best evaluation has the highest accuracy, then the lower loss, then the smaller step.</summary>
    public CheckpointRetention Retention(int stepsPerEpoch) => new(
        (int)settings.Keep,
        settings.KeepEvery * stepsPerEpoch,
        [
            .. _evaluations.OrderByDescending(result => result.Accuracy).ThenBy(result => result.Loss).ThenBy(result => result.Step)
                .Select(result => result.Step).Take(MostByMerit),
        ]);
}
