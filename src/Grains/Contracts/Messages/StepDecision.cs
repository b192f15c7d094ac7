using ConvNet.Engine.Optimizers;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>How a step ends: the same message for every partition and for the batch norms.</summary>
/// <param name="Settings">Null = skip: version t + 1 is version t (non-finite gradients).</param>
/// <param name="Numbers">What a server keeps that has taken it, in case that nobody else is left who knows.</param>
/// <param name="IsToldAgain">
/// The step was decided in an earlier generation: a server takes it with what it has summed anew only when the coordinator has found that to be the same.
/// </param>
[GenerateSerializer, Immutable, Alias("ConvNet.StepDecision")]
public sealed record StepDecision(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] StepSettings? Settings,
    [property: Id(2)] StepNumbers? Numbers = null,
    [property: Id(3)] bool IsToldAgain = false)
{
    public long Step => Header.Step;

    public bool IsSkip => Settings is null;
}
