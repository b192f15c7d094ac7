using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Processes;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>Makes the commands that are about one job of a running cluster, and know no options but where it is and --json.</summary>
internal static class OneJobCommand
{
    /// <param name="run">What is done with the job, given its id and whether JSON is asked for.</param>
    public static Command Create(string name, string description, Func<IJobGrain, string, bool, CancellationToken, Task> run) =>
        Create(name, description, async (id, home, json, cancellation) =>
        {
            await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
            await run(cluster.Job(id), id, json, cancellation);
            return (int)ExitCode.Ok;
        });

    /// <summary>Ends with the exit code of the job, or with that of the signal that made it leave the job alone.</summary>
    /// <param name="follow">Follows the job to its end, and returns its exit code.</param>
    public static Command Following(string name, string description, Func<ClusterConnection, string, bool, StopSignal, Task<ExitCode>> follow) =>
        Create(name, description, async (id, home, json, _) =>
        {
            using var stop = new StopSignal(_ => { });
            await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
            try
            {
                return (int)await follow(cluster, id, json, stop);
            }
            catch (OperationCanceledException) when (stop.Requested is { } signal)
            {
                return (int)signal;
            }
        });

    private static Command Create(string name, string description, Func<string, SiloCluster, bool, CancellationToken, Task<int>> run)
    {
        Argument<string> id = JobCommand.IdArgument();
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(name, description) { id, json };
        cluster.AddTo(command);
        command.SetAction((parsed, cancellation) =>
            run(JobCommand.Read(parsed, id), cluster.Read(parsed), parsed.GetValue(json), cancellation));
        return command;
    }
}
