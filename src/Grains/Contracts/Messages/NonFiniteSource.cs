namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Where the first value that is not finite was seen, in the order in which a step computes.</summary>
/// <param name="What">The layer, and which of its values.</param>
/// <param name="Worker">The worker that sent it, or null if only the sum over the shards is not finite.</param>
/// <param name="Samples">Those that the value was computed from; null: the whole batch.</param>
/// <param name="Order">Among those that reports of the same kind name: the least was computed first.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.NonFiniteSource")]
public sealed record NonFiniteSource(
    [property: Id(0)] string What, [property: Id(1)] string? Worker, [property: Id(2)] SampleRange? Samples = null, [property: Id(3)] int Order = 0)
{
    /// <summary>From this order on, sums of batch norms are those of backward.</summary>
    public const int FirstOfBackward = 1 << 20;

    public override string ToString() => Worker is null ? $"the sum over the data shards of {What}" : $"{What} from worker {Worker}, {Samples}";
}
