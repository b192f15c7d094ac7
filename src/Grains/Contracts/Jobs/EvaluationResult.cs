namespace ConvNet.Grains.Contracts.Jobs;

/// <param name="Step">The version that was evaluated.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.EvaluationResult")]
public sealed record EvaluationResult(
    [property: Id(0)] long Step,
    [property: Id(1)] long Samples,
    [property: Id(2)] double Loss,
    [property: Id(3)] double Accuracy);
