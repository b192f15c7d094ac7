using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Protocol;

/// <summary>Sums over the samples of the steps of one epoch so far; skipped steps do not count.</summary>
/// <param name="LossSum">Added in the order of steps.</param>
public sealed record EpochTotals(int Epoch, double LossSum, long Correct, long Count)
{
    /// <summary>The totals after one more step, which may be the first of another epoch.</summary>
    public EpochTotals Add(int epoch, Metrics step) => epoch == Epoch
        ? new EpochTotals(epoch, LossSum + step.LossSum, Correct + step.Correct, Count + step.Count)
        : new EpochTotals(epoch, step.LossSum, step.Correct, step.Count);
}

/// <summary>What the coordinator must remember across a resume.</summary>
/// <param name="Step">Steps decided.</param>
/// <param name="Updates">Steps applied: those that were not skipped.</param>
/// <param name="SkipsInARow">Since the last applied step.</param>
public sealed record CoordinatorState(long Step, long Updates, int SkipsInARow, EpochTotals Epoch)
{
    public static CoordinatorState Initial => new(0, 0, 0, new EpochTotals(0, 0, 0, 0));
}

/// <summary>A step that has just been decided.</summary>
/// <param name="Decision">For every partition and the batch norms.</param>
/// <param name="Batch">Loss and correct answers over the global batch.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Warning">Why the step is skipped, if it is.</param>
public sealed record StepOutcome(
    StepDecision Decision,
    Metrics Batch,
    double LearningRate,
    double GradientNorm,
    CoordinatorState State,
    string? Warning);

/// <param name="Decided">Set by the message that makes the step decidable: tell everybody.</param>
/// <param name="Resend">Set if some server has missed the last decision: tell everybody again; it does no harm to the others.</param>
/// <param name="Failure">Set when training cannot go on: nothing more will be decided.</param>
public readonly record struct CoordinatorAnswer(
    Answer Answer,
    StepOutcome? Decided = null,
    StepDecision? Resend = null,
    string? Failure = null);
