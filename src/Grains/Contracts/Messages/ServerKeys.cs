namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The keys of a job's servers.</summary>
/// <param name="Partitions">Of the parameter-server grains, by partition.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.ServerKeys")]
public sealed record ServerKeys(
    [property: Id(0)] string[] Partitions,
    [property: Id(1)] string BatchNorm,
    [property: Id(2)] string Coordinator,
    [property: Id(3)] string Checkpoint)
{
    public IEnumerable<string> All => ByRole.Select(server => server.Key);

    /// <summary>With what people call them.</summary>
    public IEnumerable<(string Role, string Key)> ByRole =>
        [.. Partitions.Select((key, p) => ($"partition {p}", key)), ("batch norm", BatchNorm), ("coordinator", Coordinator), ("checkpoint", Checkpoint)];
}
