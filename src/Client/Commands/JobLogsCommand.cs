using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Processes;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>job logs: the events of a job, one a line.</summary>
internal static class JobLogsCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> id = JobCommand.IdArgument();
        var cluster = new ClusterOptions(isRequired: true);
        var follow = new Option<bool>("--follow") { Description = "Wait for more until the job has ended" };
        Option<bool> json = RunOptions.JsonOption();
        var run = new Option<string?>("--run")
        {
            Description = "Run folder of a job that the cluster has forgotten [the one under runs/ that names it]",
            HelpName = "DIR",
        };
        var command = new Command(
            "logs",
            """
            Prints the events of a job, one a line: checkpoints, evaluations, changes of members, pauses, its end. Ctrl-C leaves the job alone.

            Example: convnet job logs train-1a2b3c4d --follow --cluster dev://127.0.0.1:11111
            """)
        { id, follow, json, run };
        cluster.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(
            terminal,
            JobCommand.Read(parsed, id),
            cluster.Read(parsed),
            parsed.GetValue(run),
            parsed.GetValue(follow),
            parsed.GetValue(json)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string id, SiloCluster home, string? folder, bool follow, bool json)
    {
        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        using var lines = new RunStream([json ? new JsonLines(terminal.Out, id) : new LogLines(terminal)]);
        try
        {
            await PrintAsync(cluster.Job(id), id, lines, follow, stop.Token, cluster.Witness);
        }
        catch (ConvNetException e) when (e.ExitCode == ExitCode.BadInput)
        {
            if (RunFolderEvents.Find(id, folder, TrainCommand.RunsFolder) is not { } events)
            {
                throw;
            }

            foreach (JsonObject line in events)
            {
                terminal.Say(json ? line.ToJsonString() : LogLines.Text(line));
            }
        }
        catch (OperationCanceledException) when (stop.Requested is { } signal)
        {
            return (int)signal;
        }

        return (int)ExitCode.Ok;
    }

    internal static async Task PrintAsync(
        IJobGrain job, string id, RunStream lines, bool follow, CancellationToken cancellation, Func<Task<bool>>? witness = null)
    {
        JobStatus status = await JobCommand.ContactOf(id, witness).AskAsync(() => job.StatusAsync(new StatusQuery(SinceEvent: 0)), cancellation);
        if (follow || status.HasEnded)
        {
            var follower = new RunFollower(job, id, lines, firstStep: null, TimeProvider.System) { Witness = witness };
            lines.Publish(await follower.FollowAsync(cancellation));
            return;
        }

        foreach (JobEvent happened in status.Events)
        {
            lines.Publish(happened.Event);
        }
    }
}
