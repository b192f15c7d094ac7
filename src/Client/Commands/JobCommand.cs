using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>job: looks at the jobs of a running cluster, waits for them and ends them.</summary>
internal static class JobCommand
{
    public static Command Create(Terminal terminal) => new("job", "Looks at the jobs of a running cluster, waits for them and ends them.")
    {
        CreateList(terminal),
        CreateShow(terminal),
        JobWaitCommand.Create(terminal),
        JobCancelCommand.Create(terminal),
    };

    public static Argument<string> IdArgument() => new("id") { Description = "The job's name, as 'job list' shows it", HelpName = "ID" };

    public static Option<string?> RequiredCluster()
    {
        Option<string?> cluster = RunOptions.ClusterOption();
        cluster.Required = true;
        return cluster;
    }

    /// <exception cref="ConvNetException">The cluster does not know the job (exit code 3), or does not answer (4).</exception>
    public static Task<JobStatus> AskAsync(IJobGrain job, string id, CancellationToken cancellation) =>
        ContactOf(id).AskAsync(() => job.StatusAsync(new StatusQuery()), cancellation);

    public static ClusterContact ContactOf(string id) => new(() => $"job '{id}'", TimeProvider.System);

    private static Command CreateList(Terminal terminal)
    {
        Option<string?> cluster = RequiredCluster();
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "list",
            """
            Lists the jobs of a cluster, the newest first.

            Example: convnet job list --cluster dev://127.0.0.1:11111
            """)
        { cluster, json };
        command.SetAction((parsed, cancel) => ListAsync(terminal, parsed.GetValue(cluster)!, parsed.GetValue(json), cancel));
        return command;
    }

    private static Command CreateShow(Terminal terminal)
    {
        Argument<string> id = IdArgument();
        Option<string?> cluster = RequiredCluster();
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "show",
            """
            Shows one job: how far it is, and where its workers and servers run.

            Example: convnet job show train-1a2b3c4d --cluster dev://127.0.0.1:11111
            """)
        { id, cluster, json };
        command.SetAction((parsed, cancel) => ShowAsync(terminal, parsed.GetValue(id)!, parsed.GetValue(cluster)!, parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> ListAsync(Terminal terminal, string url, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(url, Logger.None);
        (IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent) = await new ClusterJobs(cluster, url).AskAsync(cancellation);
        if (json)
        {
            foreach (string line in jobs.Select(JobJson.Of).Concat(silent.Select(JobJson.Silent)).Select(job => job.ToJsonString()))
            {
                terminal.Out.WriteLine(line);
            }
        }
        else if (jobs.Count + silent.Count == 0)
        {
            terminal.Say($"No jobs in {url}.");
        }
        else
        {
            Say(terminal, TableOf(terminal, jobs, silent));
        }

        return (int)ExitCode.Ok;
    }

    private static TextTable TableOf(Terminal terminal, IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent)
    {
        var table = new TextTable(
            terminal,
            new Column("job", 0, IsNumber: false),
            new Column("state", 0, IsNumber: false),
            new Column("step", 1),
            new Column("model", 2, IsNumber: false),
            new Column("data", 4, IsNumber: false),
            new Column("workers", 3));
        foreach (JobStatus job in jobs)
        {
            table.Add(job.JobId, job.State.InWords(), $"{job.Step}/{job.TotalSteps}", job.Model, job.Data, $"{job.Workers.Length}");
        }

        foreach (string id in silent)
        {
            table.Add(id, "does not answer", "", "", "", "");
        }

        return table;
    }

    private static async Task<int> ShowAsync(Terminal terminal, string id, string url, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(url, Logger.None);
        JobStatus job = await AskAsync(cluster.Job(id), id, cancellation);
        if (json)
        {
            terminal.Out.WriteLine(JobJson.Of(job).ToJsonString());
            return (int)ExitCode.Ok;
        }

        string why = (job.Failure?.Message ?? job.Reason) is { } reason ? $": {reason}" : "";
        terminal.Say($"{job.JobId}: {job.Model} on {job.Data}, {job.State.InWords()}{why}");
        terminal.Say(Lines.Progress(job, terminal.SizeNow.LineColumns));
        string cache = job.Checkpoints is { IsCache: true } place
            ? $" (its client's; silo {place.Silo} does not see it, and keeps the newest two checkpoints in {place.Folder})"
            : "";
        terminal.Say($"Generation {job.Generation}. Run folder: {job.RunFolder}{cache}");
        var parts = new TextTable(terminal, new Column("part", 0, IsNumber: false), new Column("silo", 0, IsNumber: false), new Column("step", 1));
        foreach (WorkerStatus worker in job.Workers)
        {
            parts.Add($"worker {worker.Name}, shards {worker.FirstShard}-{worker.EndShard - 1}", PinnedKey.SiloOf(worker.Name), $"{worker.Step}");
        }

        foreach (ServerStatus server in job.Servers)
        {
            parts.Add(server.Role, server.Silo, "");
        }

        Say(terminal, parts);
        return (int)ExitCode.Ok;
    }

    private static void Say(Terminal terminal, TextTable table)
    {
        foreach (string line in table.Lines(terminal.SizeNow.LineColumns))
        {
            terminal.Out.WriteLine(line);
        }
    }
}
