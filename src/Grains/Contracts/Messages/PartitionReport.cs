namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A partition holds the whole of a step and has applied nothing yet.</summary>
/// <param name="SquareSums">Σg² of each owned block, in local order.</param>
/// <param name="WeightSquareSums">Σw² of each owned block, or empty if the optimizer does not need it.</param>
/// <param name="NonFinite">Null if all gradients are finite.</param>
/// <param name="Disagreement">Null unless gradients that were computed before, in an earlier generation, have other bits now.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.PartitionReport")]
public sealed record PartitionReport(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] int Partition,
    [property: Id(2)] double[] SquareSums,
    [property: Id(3)] double[] WeightSquareSums,
    [property: Id(4)] NonFiniteSource? NonFinite,
    [property: Id(5)] Disagreement? Disagreement = null);
