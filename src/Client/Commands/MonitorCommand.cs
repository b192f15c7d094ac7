using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Client.Commands;

/// <summary>monitor: watches the jobs of a running cluster.</summary>
internal static class MonitorCommand
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(2);

    public static Command Create(Terminal terminal)
    {
        Option<string?> cluster = RunOptions.ClusterOption();
        cluster.Required = true;
        var once = new Option<bool>("--once") { Description = "Show the jobs once and end" };
        var command = new Command(
            "monitor",
            """
            Shows jobs, workers, loss and accuracy of a running cluster until Ctrl-C.

            Example: convnet monitor --cluster dev://127.0.0.1:11111
            """)
        { cluster, once };
        command.SetAction((parsed, _) => RunAsync(terminal, parsed.GetValue(cluster)!, parsed.GetValue(once)));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string url, bool once)
    {
        using var stop = new StopSignal(_ => { });
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(url, Serilog.Core.Logger.None);
        using JobsView view = JobsView.For(terminal, url, once);
        TimeSpan interval = terminal.IsInteractive ? LiveInterval : PlainInterval;
        while (stop.Requested is null)
        {
            view.Show(await StatusAsync(cluster));
            if (once)
            {
                break;
            }

            await Task.Delay(interval, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return (int)(stop.Requested ?? ExitCode.Ok);
    }

    /// <summary>All jobs that the cluster knows, newest first; a job that does not answer is left out.</summary>
    private static async Task<IReadOnlyList<JobStatus>> StatusAsync(ClusterConnection cluster)
    {
        string[] ids = await cluster.Grains.GetGrain<IJobDirectoryGrain>(0).ListAsync();
        JobStatus?[] known = await Task.WhenAll(ids.Select(async id =>
        {
            try
            {
                return await cluster.Job(id).StatusAsync();
            }
            catch (Exception e) when (e is ConvNetException or TimeoutException)
            {
                return null;
            }
        }));
        return [.. known.OfType<JobStatus>()];
    }
}
