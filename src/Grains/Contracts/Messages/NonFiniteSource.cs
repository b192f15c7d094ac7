namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Where the first value that is not finite was seen.</summary>
/// <param name="What">The tensor, or the batch norm and direction.</param>
/// <param name="Worker">The worker that sent it, or null if only the sum over the shards is not finite.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.NonFiniteSource")]
public sealed record NonFiniteSource([property: Id(0)] string What, [property: Id(1)] string? Worker)
{
    public override string ToString() => Worker is null ? $"the sum over the data shards of {What}" : $"{What} from worker {Worker}";
}
