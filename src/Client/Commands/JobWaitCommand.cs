using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>job wait: follows a job to its end, and ends as the job does.</summary>
internal static class JobWaitCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> id = JobCommand.IdArgument();
        Option<string?> cluster = JobCommand.RequiredCluster();
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "wait",
            """
            Waits until a job has ended, says how, and ends with the job's own exit code. Ctrl-C leaves the job alone.

            Example: convnet job wait train-1a2b3c4d --cluster dev://127.0.0.1:11111
            """)
        { id, cluster, json };
        command.SetAction((parsed, _) => RunAsync(terminal, parsed.GetValue(id)!, parsed.GetValue(cluster)!, parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string id, string url, bool json)
    {
        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(url, Logger.None);
        using var view = new RunStream(json ? [new JsonLines(terminal.Out, id), new QuietView(terminal.Error)] : [new PlainView(terminal)]);
        try
        {
            // Whoever asks for a job that there is not hears so; the follower takes it for one that was lost.
            await JobCommand.AskAsync(cluster.Job(id), id, stop.Token);
            return (int)await WaitAsync(cluster.Job(id), id, view, stop.Token);
        }
        catch (OperationCanceledException) when (stop.Requested is { } signal)
        {
            return (int)signal;
        }
    }

    /// <returns>The job's exit code.</returns>
    internal static async Task<ExitCode> WaitAsync(IJobGrain job, string id, RunStream view, CancellationToken cancellation)
    {
        using var unseen = new RunStream([]);
        var follower = new RunFollower(job, id, unseen, firstStep: null, TimeProvider.System);
        RunEvent end = await follower.FollowAsync(cancellation);
        if (end is RunEvent.Failed failed)
        {
            string remedy = follower.Latest is { State: JobState.Orphaned, Checkpoints: not { IsCache: true } } orphan
                ? $" Go on with 'convnet resume {orphan.RunFolder}'."
                : "";
            view.Publish(failed with { Error = failed.Error + remedy });
            return failed.ExitCode;
        }

        view.Publish(end);
        return ExitCode.Ok;
    }
}
