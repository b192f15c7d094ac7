namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A partition holds the whole of step t and has applied nothing yet.</summary>
/// <param name="SquareSums">Σg² of each owned block, in local order.</param>
/// <param name="WeightSquareSums">Σw² of each owned block, or empty if the optimizer does not need it.</param>
/// <param name="NonFinite">Null if all gradients are finite.</param>
public sealed record PartitionReport(
    long Generation,
    long Step,
    int Partition,
    double[] SquareSums,
    double[] WeightSquareSums,
    NonFiniteSource? NonFinite);
