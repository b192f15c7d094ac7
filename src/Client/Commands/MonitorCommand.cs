using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;

namespace ConvNet.Client.Commands;

/// <summary>monitor: watches the jobs of a running cluster.</summary>
internal static class MonitorCommand
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(2);

    public static Command Create(Terminal terminal)
    {
        var cluster = new ClusterOptions(isRequired: true);
        var once = new Option<bool>("--once") { Description = "Show the jobs once and end" };
        var command = new Command(
            "monitor",
            """
            Shows jobs, workers, loss and accuracy of a running cluster until Ctrl-C.

            Example: convnet monitor --cluster dev://127.0.0.1:11111
            """)
        { once };
        cluster.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(terminal, cluster.Read(parsed), parsed.GetValue(once)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, SiloCluster home, bool once)
    {
        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Serilog.Core.Logger.None);
        using JobsView view = JobsView.For(terminal, home.Url, once);
        var jobs = new ClusterJobs(cluster, home.Url);
        TimeSpan interval = terminal.IsInteractive ? LiveInterval : PlainInterval;
        while (stop.Requested is null)
        {
            try
            {
                (IReadOnlyList<JobStatus> known, IReadOnlyList<string> silent) = await jobs.AskAsync(stop.Token);
                view.Show(known, silent);
            }
            catch (OperationCanceledException) when (stop.Requested is not null)
            {
                break;
            }

            if (once)
            {
                break;
            }

            await Task.Delay(interval, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return (int)(stop.Requested ?? ExitCode.Ok);
    }
}
