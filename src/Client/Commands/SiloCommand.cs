using System.CommandLine;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Security;
using ConvNet.Silo;
using Serilog.Core;
using Serilog;

namespace ConvNet.Client.Commands;

/// <summary>silo: one process of a cluster.</summary>
internal static class SiloCommand
{
    private static readonly string[] Roles = ["worker", "server"];

    public static Command Create(Terminal terminal)
    {
        var name = new Option<string>("--name") { Description = "Name of this silo, unique in the cluster", HelpName = "NAME", Required = true };
        var cluster = new ClusterOptions(isRequired: true);
        cluster.Cluster.Description =
            "The cluster to join or to begin: dev://host:port with the silo port of the primary, or redis://host:port?id=NAME of a Redis";
        var listen = new Option<string?>("--listen") { Description = "Address to listen at, in a redis:// cluster [127.0.0.1]", HelpName = "ADDRESS" };
        var advertise = new Option<string?>("--advertise") { Description = "Address that others are told [that of --listen]", HelpName = "ADDRESS" };
        var insecure = new Option<bool>("--insecure") { Description = "Listen beyond this machine although nobody has to prove who he is" };
        Option<long?> port = WholeNumber.Option("--port", "Port for other silos [11111]");
        Option<long?> gateway = WholeNumber.Option("--gateway", "Port for clients [the primary's: that of the cluster URL; 30000]");
        Option<long?> http = WholeNumber.Option("--http", "Port for health and metrics [none]");
        Option<long?> devices = WholeNumber.Option("--devices", "Workers that this silo can run [1]");
        Option<long?> threads = WholeNumber.Option("--threads", "Compute threads per worker [1]");
        var roles = new Option<string>("--roles")
        {
            Description = "What this silo does [worker,server]",
            HelpName = "worker,server",
            DefaultValueFactory = _ => "worker,server",
        };
        var cache = new Option<string?>("--cache")
        {
            Description = "Folder for checkpoints of jobs whose clients do not share this machine's disk [~/.cache/convnet/checkpoints]",
            HelpName = "DIR",
        };
        Option<long?> orphanMinutes = WholeNumber.Option("--orphan-minutes", "How long such a checkpoint stays when its job has ended or lost its client [60]");
        var log = new Option<string?>("--log") { Description = "Log file [logs/NAME.clef]", HelpName = "FILE" };
        var command = new Command(
            "silo",
            """
            Runs one silo of a cluster until Ctrl-C. In a dev:// cluster, the silo whose own --port is the port of the URL is the primary.

            Example: convnet silo --name node-1 --cluster dev://127.0.0.1:11111 --port 11111 --gateway 30000
            """)
        { name, listen, advertise, insecure, port, gateway, http, devices, threads, roles, cache, orphanMinutes, log };
        cluster.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            string[] does = parsed.GetValue(roles)!.Split(',', StringSplitOptions.TrimEntries);
            string? unknown = does.FirstOrDefault(role => !Roles.Contains(role));
            if (unknown is not null)
            {
                throw ConvNetException.BadInput($"--roles: '{unknown}' is no role; the roles are worker and server.{NearMatch.Suggest(unknown, Roles)}");
            }

            SiloCluster home = cluster.Read(parsed, PeerRole.Silo);
            int silos = WholeNumber.InRange("--port", parsed.GetValue(port) ?? 11111, 1, 65535);
            int? clients = parsed.GetValue(gateway) is { } told ? WholeNumber.InRange("--gateway", told, 1, 65535) : null;
            var options = new ConvNetSiloOptions
            {
                Name = parsed.GetValue(name)!,
                Cluster = home,
                Ports = home.PortsOf(parsed.GetValue(listen), parsed.GetValue(advertise), silos, clients, parsed.GetValue(insecure)),
                Http = parsed.GetValue(http) is { } health ? WholeNumber.InRange("--http", health, 1, 65535) : null,
                Devices = WholeNumber.InRange("--devices", parsed.GetValue(devices) ?? 1, 1, 256),
                Threads = WholeNumber.InRange("--threads", parsed.GetValue(threads) ?? 1, 1, 1024),
                Cache = parsed.GetValue(cache),
                OrphanTime = TimeSpan.FromMinutes(WholeNumber.InRange("--orphan-minutes", parsed.GetValue(orphanMinutes) ?? 60, 1, 60 * 24 * 30)),
                Workers = does.Contains("worker"),
                Servers = does.Contains("server"),
            };
            return RunAsync(terminal, options, parsed.GetValue(log));
        });
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, ConvNetSiloOptions options, string? logPath)
    {
        if (PlainName.ProblemOf(options.Name, 63) is { } problem)
        {
            throw ConvNetException.BadInput($"--name: {problem}.");
        }

        using Logger log = RunLog.Open(logPath ?? Path.Combine("logs", $"{options.Name}.clef"));
        using var stop = new StopSignal(_ => terminal.Error.WriteLine("Leaving the cluster. Ctrl-C again leaves at once."));
        try
        {
            await SiloHost.RunAsync(
                options,
                logging => logging.AddSerilog(log),
                sentence => terminal.Error.WriteLine($"warning: {sentence}"),
                () => terminal.Error.WriteLine($"Waiting for {options.Cluster.Entrance} ..."),
                () => Announce(terminal, options),
                terminal.Error.WriteLine,
                sentence => terminal.Error.WriteLine($"error: {sentence}"),
                stop.Token);
        }
        catch (OperationCanceledException) when (stop.Requested is not null)
        {
            // Asked to leave while it was joining.
        }
        catch (Exception e)
        {
            log.Error(e, "The silo ended");
            throw;
        }

        return (int)(stop.Requested ?? ExitCode.Ok);
    }

    private static void Announce(Terminal terminal, ConvNetSiloOptions options)
    {
        terminal.Out.WriteLine(
            $"Silo {options.Name} is in the cluster {options.Cluster.Url}: port {options.Ports.Silos}, gateway {options.Ports.Clients}, " +
            $"{options.Devices} device(s) with {options.Threads} thread(s).");
        terminal.Out.Flush();
    }
}
