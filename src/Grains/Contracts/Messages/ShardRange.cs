namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Shards first … end − 1 of every step.</summary>
public readonly record struct ShardRange(int First, int End)
{
    public int Count => End - First;
}
