namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Which floats of a partition's state: the weights, or the optimizer slot with that index.</summary>
public static class StateSlot
{
    public const int Weights = -1;
}
