using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>job attach: shows a job from its beginning to its end, as the console that started it does.</summary>
internal static class JobAttachCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> id = JobCommand.IdArgument();
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "attach",
            """
            Shows what a job has done so far, follows it to its end, and ends with its exit code. Any number of consoles may do so, each from the
            beginning. Ctrl-C leaves the job alone.

            Example: convnet job attach train-1a2b3c4d --cluster dev://127.0.0.1:11111
            """)
        { id, json };
        cluster.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(terminal, JobCommand.Read(parsed, id), cluster.Read(parsed), parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string id, SiloCluster home, bool json)
    {
        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        using var view = new RunStream(RunViews.For(terminal, id, json));
        try
        {
            JobStatus job = await JobCommand.AskAsync(cluster.Job(id), id, stop.Token);
            view.Publish(new RunEvent.Notice(
                $"Job {id}, {job.Model} on {job.Data}, is {job.State.InWords()} at step {job.Step} of {job.TotalSteps}. Ctrl-C leaves it alone."));
            return (int)await JobWaitCommand.FollowAsync(cluster.Job(id), id, view, view, stop.Token);
        }
        catch (OperationCanceledException) when (stop.Requested is { } signal)
        {
            return (int)signal;
        }
    }
}
