namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What the coordinator knows, for its standby. The header's step is the number of decided steps.</summary>
/// <param name="Position">After the last decided step.</param>
/// <param name="Committed">After the last step that all have taken.</param>
/// <param name="Last">The last decision, with its numbers; null if none was made since the state came from a checkpoint.</param>
/// <param name="Progress">Of committed steps, with the rows that the standby has not acknowledged.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.CoordinatorForward")]
public sealed record CoordinatorForward(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] JobPosition Position,
    [property: Id(2)] JobPosition Committed,
    [property: Id(3)] StepDecision? Last,
    [property: Id(4)] StepProgress Progress);
