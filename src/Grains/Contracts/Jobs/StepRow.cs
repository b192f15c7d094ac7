namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>One committed step.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.StepRow")]
public readonly record struct StepRow(
    [property: Id(0)] long Step,
    [property: Id(1)] double Loss,
    [property: Id(2)] double Accuracy,
    [property: Id(3)] double LearningRate,
    [property: Id(4)] double GradientNorm,
    [property: Id(5)] double Seconds);
