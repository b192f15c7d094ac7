namespace ConvNet.Grains.Contracts.Messages;

/// <summary>What one worker has sent of sums that another one, or the same once more, has sent, too.</summary>
/// <param name="Worker">Its key.</param>
/// <param name="Bits">Claims with the same number have the same bits; values that are not finite are all the same.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.RootClaim")]
public readonly record struct RootClaim([property: Id(0)] string Worker, [property: Id(1)] int Bits, [property: Id(2)] bool IsFinite);
