using System.CommandLine;
using ConvNet.Client.Cluster;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Silo.Clustering;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>job: looks at the jobs of a running cluster, and steers them.</summary>
internal static class JobCommand
{
    public static Command Create(Terminal terminal) => new("job", "Looks at the jobs of a running cluster, follows, pauses and ends them.")
    {
        CreateList(terminal),
        CreateShow(terminal),
        JobAttachCommand.Create(terminal),
        JobLogsCommand.Create(terminal),
        JobWaitCommand.Create(terminal),
        JobPauseCommand.Create(terminal),
        JobResumeCommand.Create(terminal),
        JobCancelCommand.Create(terminal),
    };

    public static Argument<string> IdArgument() => new("id") { Description = "The job's name, as 'job list' shows it", HelpName = "ID" };

    /// <exception cref="ConvNetException">No job can be called so (exit code 3).</exception>
    public static string Read(ParseResult parsed, Argument<string> id) => JobLimits.ProblemOfId(parsed.GetValue(id)!) is { } problem
        ? throw ConvNetException.BadInput($"ID: {problem.TrimEnd('.')}.")
        : parsed.GetValue(id)!;

    /// <param name="witness">Tells whether any silo of the cluster answers when the job does not; null: nobody.</param>
    /// <exception cref="ConvNetException">The cluster does not know the job (exit code 3), or does not answer (4).</exception>
    public static Task<JobStatus> AskAsync(IJobGrain job, string id, CancellationToken cancellation, Func<Task<bool>>? witness = null) =>
        ContactOf(id, witness).AskAsync(() => job.StatusAsync(new StatusQuery()), cancellation);

    public static ClusterContact ContactOf(string id, Func<Task<bool>>? witness = null) => new(() => $"job '{id}'", TimeProvider.System) { Witness = witness };

    private static Command CreateList(Terminal terminal)
    {
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var command = new Command(
            "list",
            """
            Lists the jobs of a cluster, the newest first.

            Example: convnet job list --cluster dev://127.0.0.1:11111
            """)
        { json };
        cluster.AddTo(command);
        command.SetAction((parsed, cancel) => ListAsync(terminal, cluster.Read(parsed), parsed.GetValue(json), cancel));
        return command;
    }

    private static Command CreateShow(Terminal terminal) => OneJobCommand.Create(
        "show",
        """
        Shows one job: how far it is, and where its workers and servers run.

        Example: convnet job show train-1a2b3c4d --cluster dev://127.0.0.1:11111
        """,
        (job, id, json, cancellation) => ShowAsync(terminal, job, id, json, cancellation));

    private static async Task<int> ListAsync(Terminal terminal, SiloCluster home, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        (IReadOnlyList<JobStatus> jobs, IReadOnlyList<string> silent) = await new ClusterJobs(cluster, home.Url).AskAsync(cancellation);
        if (json)
        {
            foreach (string line in jobs.Select(JobJson.Of).Concat(silent.Select(JobJson.Silent)).Select(job => job.ToJsonString()))
            {
                terminal.Out.WriteLine(line);
            }
        }
        else if (jobs.Count + silent.Count == 0)
        {
            terminal.Say($"No jobs in {home.Url}.");
        }
        else
        {
            JobTable.Of(terminal, jobs, silent).Write();
        }

        return (int)ExitCode.Ok;
    }

    private static async Task ShowAsync(Terminal terminal, IJobGrain grain, string id, bool json, CancellationToken cancellation)
    {
        JobStatus job = await AskAsync(grain, id, cancellation);
        if (json)
        {
            terminal.Out.WriteLine(JobJson.Of(job).ToJsonString());
            return;
        }

        string why = job.Why is { } reason ? $": {reason}" : "";
        terminal.Say($"{job.JobId}: {job.Model} on {job.Data}, {job.State.InWords()}{why}");
        terminal.Say(Lines.Progress(job, terminal.SizeNow.LineColumns));
        string cache = job.Checkpoints is { IsCache: true } place
            ? $" (its client's; silo {place.Silo} does not see it, and keeps the newest two checkpoints in {place.Folder})"
            : "";
        string queued = job.QueuePosition is { } position ? $", place {position} in the queue" : "";
        terminal.Say($"Generation {job.Generation}. Priority {job.Priority}{queued}. Run folder: {job.RunFolder}{cache}");
        var parts = new TextTable(terminal, new Column("part", 0, IsNumber: false), new Column("silo", 0, IsNumber: false), new Column("step", 1));
        foreach (WorkerStatus worker in job.Workers)
        {
            parts.Add($"worker {worker.Name}, shards {worker.FirstShard}-{worker.EndShard - 1}", PinnedKey.SiloOf(worker.Name), $"{worker.Step}");
        }

        foreach (ServerStatus server in job.Servers)
        {
            parts.Add(server.Role, server.Standby is { } standby ? $"{server.Silo} (standby {standby})" : server.Silo, "");
        }

        parts.Write();
    }
}
