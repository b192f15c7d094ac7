using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;

namespace ConvNet.Client.Commands;

/// <summary>A job whose client has gone away: it takes no orders any more, but another run can go on with it.</summary>
internal static class OrphanedJob
{
    /// <summary>How to go on, as a sentence after a blank; empty for a job in another state.</summary>
    public static string Remedy(JobStatus? job) => job switch
    {
        not { State: JobState.Orphaned } => "",
        { Checkpoint: null } => " Nothing was saved: start it again.",
        { Checkpoints.IsCache: true } =>
            $" Go on with 'convnet checkpoint get --job {job.JobId} DIR' and 'convnet resume DIR', each with the cluster's options.",
        _ => $" Go on with 'convnet resume {ShellWord.Quote(job.RunFolder)}'.",
    };

    /// <exception cref="ConvNetException">The job is one (exit code 6).</exception>
    public static void Refuse(JobStatus job)
    {
        if (job.State == JobState.Orphaned)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"job '{job.JobId}' is orphaned at step {job.Step} of {job.TotalSteps}{(job.Why?.TrimEnd('.') is { } why ? $" ({why})" : "")}, and takes no " +
                $"orders any more.{Remedy(job)}");
        }
    }
}
