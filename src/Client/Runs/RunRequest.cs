using ConvNet.Client.Configuration;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Devices;

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
    private const int MostOfName = 80;

    public int Priority { get; init; }

    public int Workers => (int)Configuration.Layout.Workers!.Value;

    /// <summary>Compute threads per worker.</summary>
    public int Threads => (int)(Configuration.Layout.Threads ?? Math.Max(1, Environment.ProcessorCount / Workers));

    /// <summary>What the workers of a local cluster compute on.</summary>
    public DeviceChoice Device => Configuration.Layout.Device is { } device ? DeviceChoice.Parse(device) : DeviceChoice.Automatic;

    /// <summary>Silos elsewhere know best how many threads a worker of theirs has.</summary>
    public JobLayout Layout => new(
        Workers,
        Cluster is null || Configuration.Layout.Threads is not null ? Threads : 0,
        (int)(Configuration.Layout.Partitions ?? 0),
        (int)(Configuration.Layout.MinWorkers ?? 0),
        (int)(Configuration.Layout.Standbys ?? (Cluster is null ? 0 : 1)));

    /// <summary>An id that no other run has.</summary>
    /// <param name="name">Of a run folder: what an id may not contain is left out of it.</param>
    public static string MakeJobId(string name)
    {
        string kept = new([.. name.Where(sign => char.IsAsciiLetterOrDigit(sign) || sign is '.' or '-' or '_').Take(MostOfName)]);
        return $"{(JobLimits.ProblemOfId(kept) is null ? kept : "run")}-{Guid.NewGuid().ToString("N")[..8]}";
    }
}
