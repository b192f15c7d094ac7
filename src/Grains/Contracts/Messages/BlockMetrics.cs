namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Loss sum and correct answers of one block of test samples.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.BlockMetrics")]
public readonly record struct BlockMetrics([property: Id(0)] double LossSum, [property: Id(1)] long Correct, [property: Id(2)] long Count);
