namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The same sums of a step, computed more than once, with different bits.</summary>
/// <param name="What">The layer, and which of its values.</param>
/// <param name="Claims">In the order of generations.</param>
/// <param name="Order">Among those that reports of the same kind name: the least was computed first.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.Disagreement")]
public sealed record Disagreement(
    [property: Id(0)] string What, [property: Id(1)] SampleRange Samples, [property: Id(2)] RootClaim[] Claims, [property: Id(3)] int Order)
{
    /// <summary>Who has computed it, for people.</summary>
    public string Workers => string.Join(", ", Claims.Select(claim => claim.Worker).Distinct());

    public override string ToString() => $"{What}, {Samples}";
}
