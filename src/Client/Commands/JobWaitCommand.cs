using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Commands;

/// <summary>job wait: follows a job to its end, and ends as the job does.</summary>
internal static class JobWaitCommand
{
    public static Command Create(Terminal terminal) => OneJobCommand.Following(
        "wait",
        """
        Waits until a job has ended, says how, and ends with the job's own exit code. Ctrl-C leaves the job alone.

        Example: convnet job wait train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        (cluster, id, json, stop) => WaitAsync(terminal, cluster, id, json, stop.Token));

    private static async Task<ExitCode> WaitAsync(Terminal terminal, ClusterConnection cluster, string id, bool json, CancellationToken stop)
    {
        using var view = new RunStream(json ? [new JsonLines(terminal.Out, id), new QuietView(terminal.Error)] : [new PlainView(terminal)]);

        // Whoever asks for a job that there is not hears so; the follower takes it for one that was lost.
        IJobGrain job = cluster.Job(id);
        await JobCommand.AskAsync(job, id, stop, cluster.Witness);
        return await WaitAsync(job, id, view, stop, cluster.Witness);
    }

    /// <returns>The job's exit code.</returns>
    internal static async Task<ExitCode> WaitAsync(
        IJobGrain job, string id, RunStream view, CancellationToken cancellation, Func<Task<bool>>? witness = null)
    {
        using var unseen = new RunStream([]);
        return await FollowAsync(job, id, unseen, view, cancellation, witness);
    }

    /// <param name="followed">Gets what happens until the end.</param>
    /// <param name="view">Gets the end, and what is amiss until then.</param>
    /// <param name="witness">Tells whether any silo of the cluster answers when the job does not; null: nobody.</param>
    /// <returns>The job's exit code.</returns>
    internal static async Task<ExitCode> FollowAsync(
        IJobGrain job, string id, RunStream followed, RunStream view, CancellationToken cancellation, Func<Task<bool>>? witness = null)
    {
        var follower = new RunFollower(job, id, followed, firstStep: null, TimeProvider.System)
        {
            Witness = witness,
            Tell = waits => view.Publish(new RunEvent.Warning(waits)),
        };
        return Tell(await follower.FollowAsync(cancellation), follower, view);
    }

    /// <param name="end">Of the run that was followed.</param>
    /// <returns>The job's exit code.</returns>
    internal static ExitCode Tell(RunEvent end, RunFollower follower, RunStream view)
    {
        if (end is RunEvent.Failed failed)
        {
            view.Publish(failed with { Error = failed.Error + OrphanedJob.Remedy(follower.Latest) });
            return failed.ExitCode;
        }

        view.Publish(end);
        return ExitCode.Ok;
    }
}
