using ConvNet.Engine.Training;

namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>An active silo of a cluster, as it announced itself when it joined.</summary>
/// <param name="Address">Where it listens for other silos.</param>
/// <param name="Devices">Workers that it can run; 0 if it runs none.</param>
/// <param name="Threads">Compute threads per worker.</param>
/// <param name="Started">By its own clock; null if it does not say.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.ClusterSilo")]
public sealed record ClusterSilo(
    [property: Id(0)] string Name,
    [property: Id(1)] string Address,
    [property: Id(2)] bool RunsWorkers,
    [property: Id(3)] bool RunsServers,
    [property: Id(4)] int Devices,
    [property: Id(5)] int Threads,
    [property: Id(6)] string Version,
    [property: Id(7)] DateTimeOffset? Started)
{
    /// <summary>As the silo that is asked knows it.</summary>
    [Id(8)] public SiloState State { get; init; }

    /// <summary>What it may be lost with; null if it does not say.</summary>
    [Id(9)] public string? Host { get; init; }

    /// <summary>What its workers compute on: "cpu", "gpu:0,gpu:1".</summary>
    [Id(10)] public string Compute { get; init; } = CpuDevice.CommonName;

    /// <summary>As people and scripts are told.</summary>
    public IEnumerable<string> RoleNames() => new[] { RunsWorkers ? "worker" : null, RunsServers ? "server" : null }.OfType<string>();
}
