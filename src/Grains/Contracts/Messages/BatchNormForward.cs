namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The running statistics of the header's version, for the standby of the batch norms.</summary>
/// <param name="BatchesSeen">Steps that moved them.</param>
/// <param name="Statistics">Of each norm in forward order: running mean, then running variance.</param>
/// <param name="Last">The decision that led to this version; null if it is the first one.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.BatchNormForward")]
public sealed record BatchNormForward(
    [property: Id(0)] MessageHeader Header, [property: Id(1)] long BatchesSeen, [property: Id(2)] float[] Statistics, [property: Id(3)] StepDecision? Last);
