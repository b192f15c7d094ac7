namespace ConvNet.Grains.Contracts.Messages;

/// <summary>A partition holds the whole of a step.</summary>
/// <param name="NonFinite">The first tensor with a NaN or infinity, or null.</param>
/// <param name="NonFiniteWorker">Who sent it, or null if only the sum is not finite.</param>
/// <param name="GradientSquares">Σg² of each of its blocks, in local order.</param>
/// <param name="WeightSquares">Σw² of each of its blocks if the optimizer asks for it, otherwise empty.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.PartitionStepReport")]
public sealed record PartitionStepReport(
    [property: Id(0)] long Generation,
    [property: Id(1)] long Step,
    [property: Id(2)] int Partition,
    [property: Id(3)] string? NonFinite,
    [property: Id(4)] double[] GradientSquares,
    [property: Id(5)] double[] WeightSquares,
    [property: Id(6)] string? NonFiniteWorker);
