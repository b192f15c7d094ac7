using ConvNet.Grains.Contracts.Jobs;
using Orleans.Concurrency;

namespace ConvNet.Grains.Contracts;

/// <summary>The jobs that this cluster knows, and the queue of those that wait for workers; one grain, key 0.</summary>
[Alias("ConvNet.IJobDirectoryGrain")]
public interface IJobDirectoryGrain : IGrainWithIntegerKey
{
    /// <summary>Adds a job id, which the job's own grain has found to be free.</summary>
    /// <returns>The number of the submission: later ones have higher numbers.</returns>
    [Alias("Register")]
    Task<long> RegisterAsync(string jobId);

    /// <summary>Job ids, newest first.</summary>
    [Alias("List"), AlwaysInterleave]
    Task<string[]> ListAsync();

    /// <summary>
    /// Is it this job's turn to take workers? The question itself keeps the job in the queue for some seconds: one that asks no more is forgotten,
    /// and a directory that knows nobody learns of all who wait by their questions.
    /// </summary>
    [Alias("Turn"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<QueueTurn> TurnAsync(QueuedJob job);

    /// <summary>The job has its workers, or does not want any now.</summary>
    [Alias("LeaveQueue"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task LeaveQueueAsync(string jobId);

    /// <summary>May a job of this priority that has workers take on more? Not while one of the same or a higher priority waits.</summary>
    [Alias("MayGrow"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task<bool> MayGrowAsync(int priority);

    /// <summary>A silo is being emptied: if this grain lives there, and another silo can have it, it goes.</summary>
    [Alias("LeaveSilo"), AlwaysInterleave, ResponseTimeout("00:00:03")]
    Task LeaveSiloAsync(string silo);
}
