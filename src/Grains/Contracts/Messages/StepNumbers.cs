using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What the coordinator knows of a step that it has decided, besides the decision: whoever has it can go on in the coordinator's place.</summary>
/// <param name="Batch">Loss and correct answers over the global batch.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Position">The job's after this step.</param>
/// <param name="Warning">Why the step is skipped, if it is.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.StepNumbers")]
public sealed record StepNumbers(
    [property: Id(0)] Metrics Batch,
    [property: Id(1)] double LearningRate,
    [property: Id(2)] double GradientNorm,
    [property: Id(3)] JobPosition Position,
    [property: Id(4)] string? Warning);
