using ConvNet.Engine.Optimizers;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>How a step ends: the same message for every partition and for the batch norms.</summary>
/// <param name="Settings">Null = skip: version t + 1 is version t (non-finite gradients).</param>
[GenerateSerializer, Immutable, Alias("ConvNet.StepDecision")]
public sealed record StepDecision([property: Id(0)] MessageHeader Header, [property: Id(1)] StepSettings? Settings)
{
    public long Step => Header.Step;

    public bool IsSkip => Settings is null;
}
