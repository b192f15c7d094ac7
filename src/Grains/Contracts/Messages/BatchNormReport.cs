namespace ConvNet.Grains.Contracts.Messages;

/// <summary>All batch-norm sums of a step are complete.</summary>
/// <param name="NonFinite">Null if all of them are finite.</param>
/// <param name="Disagreement">Null unless sums that were computed before, in an earlier generation, have other bits now.</param>
/// <param name="Sums">A digest of all totals.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.BatchNormReport")]
public sealed record BatchNormReport(
    [property: Id(0)] MessageHeader Header,
    [property: Id(1)] NonFiniteSource? NonFinite,
    [property: Id(2)] Disagreement? Disagreement = null,
    [property: Id(3)] UInt128 Sums = default);
