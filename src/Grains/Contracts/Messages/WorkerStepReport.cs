namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A worker's part of a step: the metrics of its subtree roots, in the order of its plan.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.WorkerStepReport")]
public sealed record WorkerStepReport(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Worker,
    [property: Id(3)] BlockMetrics[] Metrics);
