using System.Text.Json.Nodes;
using ConvNet.Client.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Processes;
using ConvNet.Silo.Security;

namespace ConvNet.Client.Commands;

/// <summary>What the options of a run say.</summary>
/// <param name="StopAfter">Completed steps at which to stop, or null.</param>
/// <param name="ClusterUrl">Null for a local cluster.</param>
/// <param name="RedisPasswordFile">For the cluster, or null.</param>
/// <param name="TlsFolder">Folder with certificates for the cluster, or null.</param>
/// <param name="JobId">Null: made up.</param>
internal sealed record RunChoices(
    long? StopAfter, string? ClusterUrl, string? RedisPasswordFile, string? TlsFolder, string? JobId, bool Detach, bool Json)
{
    /// <summary>File with the CA of the cluster's Redis, or null.</summary>
    public string? RedisCa { get; init; }

    /// <summary>In the queue of the cluster.</summary>
    public long Priority { get; init; }

    /// <summary>Null for a local cluster.</summary>
    /// <exception cref="ConvNetException">The options name no cluster that can be used (exit code 3, 4 or 8).</exception>
    public SiloCluster? Cluster => ClusterUrl is null ? null : ClusterOptions.Find(ClusterUrl, RedisPasswordFile, RedisCa, TlsFolder, PeerRole.Client);

    /// <summary>Prepares and runs a job; with --json, what fails before there is a run folder is an event, too.</summary>
    public async Task<int> RunAsync(Terminal terminal, Func<RunChoices, Task<int>> run)
    {
        try
        {
            Check();
            return await run(this);
        }
        catch (Exception e)
        {
            if (Json)
            {
                (ExitCode code, string message) = Failures.Explain(e);
                using var events = new JsonLines(terminal.Out, JobId);
                events.Handle(new RunEvent.Failed(code, message));
            }

            throw;
        }
    }

    /// <summary>Runs a job in a folder that the caller holds, and shows it.</summary>
    public Task<int> AttachAsync(Terminal terminal, RunFolder folder, RunRequest request) =>
        new RunSession(folder, request with { Priority = (int)Priority }).RunAsync(Sinks(terminal, request.JobId));

    /// <summary>What shows the run in a terminal: events as JSON, lines that are redrawn in place, or plain ones in a pipe.</summary>
    internal IReadOnlyList<RunSink> Sinks(Terminal terminal, string jobId) => RunViews.For(terminal, jobId, Json);

    /// <summary>Leaves a job to its cluster.</summary>
    public async Task<int> DetachAsync(Terminal terminal, RunRequest request)
    {
        JobStatus status = await new DetachedSession(request with { Priority = (int)Priority }).SubmitAsync();
        if (Json)
        {
            var line = new JsonObject { ["event"] = "job.submitted", ["jobId"] = request.JobId, ["runFolder"] = request.Folder };
            terminal.Out.WriteLine(line.ToJsonString());
            return (int)ExitCode.Ok;
        }

        string waits = status is { State: JobState.Queued, Reason: { } reason } ? $" It has not begun: {reason}" : "";
        terminal.Say($"Job {request.JobId} is submitted; its run folder is {request.Folder}.{waits}");
        terminal.Out.WriteLine($"Wait for its end:  ./convnet job wait {request.JobId} {request.Cluster!.Arguments}");
        terminal.Out.WriteLine($"Watch it:          ./convnet job attach {request.JobId} {request.Cluster!.Arguments}");
        terminal.Out.WriteLine($"End it early:      ./convnet job cancel {request.JobId} {request.Cluster!.Arguments}");
        return (int)ExitCode.Ok;
    }

    /// <summary>Refuses what cannot be done before anything is created.</summary>
    private void Check()
    {
        if (Detach && ClusterUrl is null)
        {
            throw new ConvNetException(
                ExitCode.Usage,
                "--detach needs --cluster URL: a local cluster lives in this process, and ends with it. Name a running cluster, or leave --detach out.");
        }

        if (JobId is not null && JobLimits.ProblemOfId(JobId) is { } problem)
        {
            throw ConvNetException.BadInput($"--job: {problem.TrimEnd('.')}.");
        }

        _ = WholeNumber.InRange("--priority", Priority, -JobLimits.MaxPriority, JobLimits.MaxPriority);
        if (StopAfter is < 1)
        {
            throw ConvNetException.BadInput($"--stop-after must be at least 1; got {StopAfter}.");
        }

        if ((RedisPasswordFile ?? RedisCa) is not null && ClusterUrl is null)
        {
            throw new ConvNetException(
                ExitCode.Usage,
                $"--redis-{(RedisPasswordFile is null ? "ca" : "password-file")} needs --cluster redis://host:port?id=NAME: " +
                "a local cluster has no Redis. Name the cluster, or leave it out.");
        }

        if (TlsFolder is not null && ClusterUrl is null)
        {
            throw new ConvNetException(
                ExitCode.Usage, "--tls needs --cluster URL: a local cluster has no connections to secure. Name the cluster, or leave --tls out.");
        }

        _ = Cluster;
    }
}
