using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Monitor;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>monitor: watches the jobs, workers and silos of a running cluster.</summary>
internal static class MonitorCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> cluster = RunOptions.ClusterOption();
        cluster.Required = true;
        var once = new Option<bool>("--once") { Description = "Show the jobs once, in plain lines, and end" };
        var command = new Command(
            "monitor",
            """
            Shows jobs, workers, silos, loss and accuracy of a running cluster until 'q' or Ctrl-C; the last row names the keys. It only looks on.

            Example: convnet monitor --cluster dev://127.0.0.1:11111
            """)
        { cluster, once };
        command.SetAction((parsed, _) => RunAsync(terminal, parsed.GetValue(cluster)!, parsed.GetValue(once)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string url, bool once)
    {
        using var window = new FullScreen(terminal);
        using var stop = new StopSignal(_ => { }, _ => window.Dispose());
        ClusterConnection cluster = await ClusterConnection.ConnectAsync(url, Logger.None);
        await using var watch = new ClusterWatch(cluster, () => ClusterConnection.ConnectAsync(url, Logger.None), TimeProvider.System);
        if (once)
        {
            await ShowOnceAsync(terminal, cluster, url, stop.Token);
        }
        else if (terminal.IsInteractive)
        {
            await new MonitorSession(terminal, window, watch, url).RunAsync(stop.Token);
        }
        else
        {
            await new PlainMonitor(terminal, watch, url).RunAsync(stop.Token);
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
