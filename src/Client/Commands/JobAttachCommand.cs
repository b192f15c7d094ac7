using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Processes;

namespace ConvNet.Client.Commands;

/// <summary>job attach: shows a job from its beginning to its end, as the console that started it does, and takes up one that has lost that.</summary>
internal static class JobAttachCommand
{
    public static Command Create(Terminal terminal) => OneJobCommand.Following(
        "attach",
        """
        Shows what a job has done so far, follows it to its end, and ends with its exit code. Any number of consoles may do so, each from the
        beginning. Ctrl-C leaves the job alone.

        An orphaned job, which has lost its client, is taken up: it gets a place in the cluster again and goes on to the same bits, and this
        console writes its run folder, or a new one in runs/ if it does not see that. Ctrl-C orphans it again.

        Example: convnet job attach train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        (cluster, id, json, stop) => AttachAsync(terminal, cluster, id, json, stop));

    private static async Task<ExitCode> AttachAsync(Terminal terminal, ClusterConnection cluster, string id, bool json, StopSignal stop) =>
        await AttachAsync(terminal, cluster, await JobCommand.AskAsync(cluster.Job(id), id, stop.Token, cluster.Witness), json, stop);

    /// <param name="status">What the job has just said.</param>
    public static async Task<ExitCode> AttachAsync(Terminal terminal, ClusterConnection cluster, JobStatus status, bool json, StopSignal stop)
    {
        string id = status.JobId;
        IJobGrain job = cluster.Job(id);
        if (status.State == JobState.Orphaned)
        {
            return await new TakenUpSession(cluster, status, stop).RunAsync(RunViews.For(terminal, id, json), TrainCommand.RunsFolder);
        }

        using var view = new RunStream(RunViews.For(terminal, id, json));
        view.Publish(new RunEvent.Notice(
            $"Job {id}, {status.Model} on {status.Data}, is {status.State.InWords()} at step {status.Step} of {status.TotalSteps}. Ctrl-C leaves it alone."));
        return await JobWaitCommand.FollowAsync(job, id, view, view, stop.Token, cluster.Witness);
    }
}
