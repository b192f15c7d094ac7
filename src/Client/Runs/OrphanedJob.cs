using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Runs;

/// <summary>A job whose client has gone away: it waits for somebody to take it up.</summary>
internal static class OrphanedJob
{
    /// <summary>How to go on, as a sentence after a blank; empty for a job in another state.</summary>
    public static string Remedy(JobStatus? job) => job is not { State: JobState.Orphaned } ? "" :
        $" Go on with 'convnet job attach {job.JobId}', or let it go on by itself with 'convnet job resume {job.JobId}', each with the cluster's options.";
}
