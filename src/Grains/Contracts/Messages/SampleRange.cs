namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The samples of one step below a node of the tree of shards.</summary>
/// <param name="Shards">Of the job.</param>
/// <param name="First">Position in the batch.</param>
/// <param name="End">One past the last position.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.SampleRange")]
public readonly record struct SampleRange([property: Id(0)] ShardRange Shards, [property: Id(1)] int First, [property: Id(2)] int End)
{
    public override string ToString() => Shards.Count == 1
        ? $"data shard {Shards.First} (samples {First} to {End - 1} of the batch)"
        : $"data shards {Shards.First} to {Shards.End - 1} (samples {First} to {End - 1} of the batch)";
}
