using ConvNet.Client.Configuration;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;

namespace ConvNet.Client.Runs;

/// <summary>What train or resume are asked to run.</summary>
/// <param name="Folder">Absolute path of the run folder.</param>
/// <param name="Checkpoint">Absolute path of the checkpoint to go on from, or null.</param>
/// <param name="StartStep">Completed steps of that checkpoint.</param>
/// <param name="StopAfter">Completed steps at which to stop, or null.</param>
/// <param name="Cluster">Null for a local cluster.</param>
internal sealed record RunRequest(
    string JobId,
    string Folder,
    TrainConfiguration Configuration,
    JobSpec Spec,
    string? Checkpoint,
    long StartStep,
    long? StopAfter,
    SiloCluster? Cluster)
{
    public int Workers => (int)Configuration.Layout.Workers!.Value;

    /// <summary>Compute threads per worker.</summary>
    public int Threads => (int)(Configuration.Layout.Threads ?? Math.Max(1, Environment.ProcessorCount / Workers));

    /// <summary>Silos elsewhere know best how many threads a worker of theirs has.</summary>
    public JobLayout Layout => new(
        Workers,
        Cluster is null || Configuration.Layout.Threads is not null ? Threads : 0,
        (int)(Configuration.Layout.Partitions ?? 0));

    /// <summary>An id that no other run has.</summary>
    public static string MakeJobId(string name) => $"{name}-{Guid.NewGuid().ToString("N")[..8]}";
}
