using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>cluster status: the silos of a cluster, what they offer and who has it, and its jobs in short.</summary>
internal static class ClusterStatusCommand
{
    public static Command Create(Terminal terminal)
    {
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "status",
            """
            Shows the silos of a cluster, the jobs that have their devices, and all jobs in short.

            Example: convnet cluster status --cluster dev://127.0.0.1:11111
            """)
        { json };
        cluster.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(terminal, cluster.Read(parsed), parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, SiloCluster home, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        var contact = new ClusterContact(() => $"the cluster {home.Url}", TimeProvider.System);
        ClusterSilo[] silos = await contact.AskAsync(() => cluster.Silos.SilosAsync(), cancellation);
        (IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent) = await new ClusterJobs(cluster, home.Url).AskAsync(cancellation);
        if (json)
        {
            terminal.Out.WriteLine(ClusterJson.Of(silos, jobs, silent).ToJsonString());
            return (int)ExitCode.Ok;
        }

        SiloTable.Of(terminal, silos, jobs).Write();
        terminal.Out.WriteLine();
        if (jobs.Count + silent.Count == 0)
        {
            terminal.Say("No jobs.");
        }
        else
        {
            JobTable.Of(terminal, jobs, silent).Write();
        }

        return (int)ExitCode.Ok;
    }
}
