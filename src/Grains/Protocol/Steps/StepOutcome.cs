using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>A step that has been decided.</summary>
/// <param name="Decision">For every partition and the batch norms.</param>
/// <param name="Batch">Loss and correct answers over the global batch.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Position">The job's after this step.</param>
/// <param name="Warning">Why the step is skipped, if it is.</param>
public sealed record StepOutcome(
    StepDecision Decision,
    Metrics Batch,
    double LearningRate,
    double GradientNorm,
    JobPosition Position,
    string? Warning)
{
    /// <summary>What a decision says of its step; null if it has no numbers.</summary>
    public static StepOutcome? Of(StepDecision decision) => decision.Numbers is not { } numbers ? null : new StepOutcome(
        decision, numbers.Batch, numbers.LearningRate, numbers.GradientNorm, numbers.Position, numbers.Warning);
}
