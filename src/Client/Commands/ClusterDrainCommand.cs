using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Cluster;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>cluster drain: empties a silo of jobs, without loss, and keeps it empty until it is started again.</summary>
internal static class ClusterDrainCommand
{
    /// <summary>Standbys may have to get the state, and a slice of steps, an evaluation or a checkpoint that is under way is finished first.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static Command Create(Terminal terminal)
    {
        var silo = new Argument<string>("silo") { Description = "The silo's name, as 'cluster status' shows it", HelpName = "NODE" };
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "drain",
            """
            Empties a silo: its jobs go on elsewhere at their next rest, no step is computed again, and nothing is placed there any more. The silo stays in
            the cluster, drained; to undo it, start the silo again. Waits until nothing is there, 2 minutes at most.

            Example: convnet cluster drain node-2 --cluster dev://127.0.0.1:11111
            """)
        { silo, json };
        cluster.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(terminal, parsed.GetValue(silo)!, cluster.Read(parsed), parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string silo, SiloCluster home, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        ClusterSilo[] silos = await new ClusterContact(() => $"the cluster {home.Url}", TimeProvider.System)
            .AskAsync(() => cluster.Silos.SilosAsync(), cancellation);
        if (WhyNot(silo, silos) is { } refusal)
        {
            throw refusal;
        }

        DrainReport report = await EmptyAsync(terminal, cluster.Grains.GetGrain<IDrainGrain>(PinnedKey.Drain(silo)), silo, json, cancellation);
        if (json)
        {
            terminal.Out.WriteLine(new JsonObject
            {
                ["event"] = "silo.drained",
                ["silo"] = silo,
                ["jobs"] = new JsonArray([.. report.Left.Select(job => JsonValue.Create(job))]),
            }.ToJsonString());
        }
        else
        {
            string left = report.Left.Length == 0
                ? "nothing of a job was there"
                : $"{string.Join(", ", report.Left)} {(report.Left.Length == 1 ? "has" : "have")} left it";
            terminal.Say($"Silo {silo} is drained: {left}. It takes nothing on until it is started again.");
        }

        return (int)ExitCode.Ok;
    }

    /// <summary>Why a silo cannot be drained, as far as any silo can tell; or null.</summary>
    internal static ConvNetException? WhyNot(string silo, IReadOnlyList<ClusterSilo> silos) =>
        silos.FirstOrDefault(known => known.Name == silo) is not { } found
            ? ConvNetException.BadInput(
                $"no silo '{silo}' in this cluster; there {(silos.Count == 1 ? "is" : "are")} {string.Join(", ", silos.Select(known => known.Name))}.")
        : found.State == SiloState.Stopping
            ? new ConvNetException(ExitCode.Conflict, $"silo '{silo}' is being stopped, and leaves the cluster as soon as its jobs have left it.")
        : null;

    /// <exception cref="ConvNetException">It cannot be drained (exit code 3 or 4), does not answer, or is not empty at the deadline (4).</exception>
    private static async Task<DrainReport> EmptyAsync(Terminal terminal, IDrainGrain drain, string silo, bool json, CancellationToken cancellation)
    {
        var contact = new ClusterContact(() => $"silo '{silo}'", TimeProvider.System);
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        string[] told = [];
        while (true)
        {
            DrainReport report = await contact.AskAsync(() => drain.EmptyAsync(stops: false), cancellation);
            if (report.Waits.Length == 0)
            {
                return report;
            }

            if (!json && !report.Waits.SequenceEqual(told))
            {
                told = report.Waits;
                terminal.Say($"Waits for {string.Join("; ", told)}.");
            }

            if (Environment.TickCount64 > end)
            {
                throw new ConvNetException(
                    ExitCode.Environment,
                    $"silo '{silo}' is not empty after {Deadline.TotalMinutes:F0} minutes: there is still {string.Join("; ", report.Waits)}. " +
                    "It takes nothing on, and its jobs go on leaving it: look at them with 'convnet job show ID', and call this again to wait on. " +
                    "To take it back, start the silo again.");
            }

            await Task.Delay(Poll, cancellation);
        }
    }
}
