using ConvNet.Engine.Optimizers;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>How a step ends: the same message for every partition and the batch-norm machine.</summary>
/// <param name="Settings">Null = skip: version t + 1 is version t.</param>
public sealed record StepDecision(long Generation, long Step, StepSettings? Settings)
{
    public bool IsSkip => Settings is null;
}
