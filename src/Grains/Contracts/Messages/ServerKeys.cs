using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>
/// The keys of a job's servers. Those that hold state are numbered: the partitions, then the batch norms, then the coordinator.
/// </summary>
/// <param name="Partitions">Of the parameter-server grains, by partition.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.ServerKeys")]
public sealed record ServerKeys(
    [property: Id(0)] string[] Partitions,
    [property: Id(1)] string BatchNorm,
    [property: Id(2)] string Coordinator,
    [property: Id(3)] string Checkpoint)
{
    /// <summary>By number: the copy of each server that holds state, or null. Empty: there are none.</summary>
    [Id(4)] public Standby?[] Standbys { get; init; } = [];

    /// <summary>The number of the batch norms.</summary>
    public int BatchNormServer => Partitions.Length;

    /// <summary>The number of the coordinator, the last one.</summary>
    public int CoordinatorServer => Partitions.Length + 1;

    /// <summary>With those of the standbys.</summary>
    public IEnumerable<string> All => [.. ByRole.Select(server => server.Key), .. Standbys.OfType<Standby>().Select(standby => standby.Key)];

    /// <summary>With what people call them.</summary>
    public IEnumerable<(string Role, string Key)> ByRole =>
        [.. Partitions.Select((key, p) => ($"partition {p}", key)), ("batch norm", BatchNorm), ("coordinator", Coordinator), ("checkpoint", Checkpoint)];

    /// <summary>The key of the server with this number.</summary>
    public string KeyOf(int server) => server < Partitions.Length ? Partitions[server] : server == BatchNormServer ? BatchNorm : Coordinator;

    /// <summary>The standby of the server with this number, or null.</summary>
    public Standby? StandbyOf(int server) => server < Standbys.Length ? Standbys[server] : null;

    /// <summary>The key of a partition's standby on this worker's own silo, or null: what it holds comes to the worker without a wire.</summary>
    /// <param name="worker">Its key.</param>
    public string? StandbyBeside(int partition, string worker) =>
        StandbyOf(partition) is { } standby && PinnedKey.SiloOf(standby.Key) == PinnedKey.SiloOf(worker) ? standby.Key : null;

    /// <summary>True if the grain with this key is the standby of the server with this number.</summary>
    public bool IsStandby(int server, string key) => StandbyOf(server)?.Key == key;
}
