using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Monitor;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Processes;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>monitor: watches the jobs, workers and silos of a running cluster.</summary>
internal static class MonitorCommand
{
    public static Command Create(Terminal terminal)
    {
        var cluster = new ClusterOptions(isRequired: true);
        var once = new Option<bool>("--once") { Description = "Show the jobs once, in plain lines, and end" };
        var command = new Command(
            "monitor",
            """
            Shows jobs, workers, silos, loss and accuracy of a running cluster until 'q' or Ctrl-C; the last row names the keys. It only looks on.

            Example: convnet monitor --cluster dev://127.0.0.1:11111
            """)
        { once };
        cluster.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(terminal, cluster.Read(parsed), parsed.GetValue(once)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, SiloCluster home, bool once)
    {
        using var window = new FullScreen(terminal);
        using var stop = new StopSignal(_ => { }, _ => window.Dispose());
        ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        await using var watch = new ClusterWatch(cluster, () => ClusterConnection.ConnectAsync(home, Logger.None), TimeProvider.System);
        if (once)
        {
            await ShowOnceAsync(terminal, cluster, home.Url, stop.Token);
        }
        else if (terminal.IsInteractive)
        {
            await new MonitorSession(terminal, window, watch, home.Url).RunAsync(stop.Token);
        }
        else
        {
            await new PlainMonitor(terminal, watch, home.Url).RunAsync(stop.Token);
        }

        window.Dispose();
        return (int)(stop.Requested ?? ExitCode.Ok);
    }

    private static async Task ShowOnceAsync(Terminal terminal, ClusterConnection cluster, string url, CancellationToken stop)
    {
        try
        {
            (IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent) = await new ClusterJobs(cluster, url).AskAsync(stop);
            new JobLines(terminal, url).Show(jobs, silent);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Who asked to leave gets the signal's exit code.
        }
    }
}
