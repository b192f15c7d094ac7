namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Shards first … end − 1 of every step.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.ShardRange")]
public readonly record struct ShardRange([property: Id(0)] int First, [property: Id(1)] int End)
{
    public int Count => End - First;
}
