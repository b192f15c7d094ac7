namespace ConvNet.Grains.Contracts.Jobs;

/// <summary>How a job is spread over the cluster. Never changes the result.</summary>
/// <param name="Workers">1 … S.</param>
/// <param name="Threads">Compute threads per worker; 0 = what the worker's silo says.</param>
/// <param name="Partitions">Parameter-server partitions; 0 = one for each silo that serves, at least 2.</param>
/// <param name="MinWorkers">The job starts as soon as so many are free, and takes on the others later; 0 = all of them.</param>
/// <param name="Standbys">Copies of each server on another silo, as soon as two silos serve: 0 or 1.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.JobLayout")]
public sealed record JobLayout(
    [property: Id(0)] int Workers,
    [property: Id(1)] int Threads,
    [property: Id(2)] int Partitions,
    [property: Id(3)] int MinWorkers = 0,
    [property: Id(4)] int Standbys = 1)
{
    /// <summary>With fewer workers the job does not start.</summary>
    public int Least => MinWorkers > 0 ? MinWorkers : Workers;
}
