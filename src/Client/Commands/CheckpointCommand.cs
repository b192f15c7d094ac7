using System.CommandLine;
using System.Text.Json.Nodes;
using ConvNet.Client.Cluster;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Checkpoints;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts;
using ConvNet.Silo.Clustering;
using Serilog.Core;

namespace ConvNet.Client.Commands;

/// <summary>checkpoint: is it whole, and what has a cluster saved?</summary>
internal static class CheckpointCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("dir") { Description = "Run folder (its newest checkpoint) or checkpoint folder", HelpName = "DIR" };
        Option<bool> json = RunOptions.JsonOption();
        var verify = new Command(
            "verify",
            """
            Checks sizes and hashes of a checkpoint's files, and that its content has the hashes it promises.

            Example: convnet checkpoint verify runs/train-0001
            """)
        { directory, json };
        verify.SetAction(parsed => Verify(terminal, parsed.GetValue(directory)!, parsed.GetValue(json)));
        return new Command("checkpoint", "Looks at checkpoints, and fetches them from a cluster") { verify, CreateGet(terminal) };
    }

    private static Command CreateGet(Terminal terminal)
    {
        var directory = new Argument<string>("dir") { Description = "Folder that the checkpoint is put into, under checkpoints/", HelpName = "DIR" };
        var job = new Option<string>("--job") { Description = "The job that has saved it", HelpName = "ID", Required = true };
        var cluster = new ClusterOptions(isRequired: true);
        Option<bool> json = RunOptions.JsonOption();
        var get = new Command(
            "get",
            """
            Fetches the newest checkpoint of a job from the silo that keeps it. 'convnet resume DIR' can go on from there.

            Example: convnet checkpoint get --job train-1a2b3c4d --cluster dev://127.0.0.1:11111 runs/fetched
            """)
        { directory, job, json };
        cluster.AddTo(get);
        get.SetAction((parsed, cancel) => GetAsync(
            terminal, parsed.GetValue(directory)!, parsed.GetValue(job)!, cluster.Read(parsed), parsed.GetValue(json), cancel));
        return get;
    }

    private static async Task<int> GetAsync(Terminal terminal, string directory, string id, SiloCluster home, bool json, CancellationToken cancellation)
    {
        await using ClusterConnection cluster = await ClusterConnection.ConnectAsync(home, Logger.None);
        CheckpointResult fetched = await FetchAsync(cluster, id, Path.GetFullPath(directory), cancellation);
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "checkpoint.fetched",
                ["jobId"] = id,
                ["path"] = fetched.Path,
                ["step"] = fetched.Step,
                ["stateSha256"] = fetched.StateSha256,
            };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else
        {
            // A run folder is resumed from its newest checkpoint, which may be one that was there before.
            string from = Newest(directory) == fetched.Path ? directory : fetched.Path;
            terminal.Say($"Step {fetched.Step} of job {id} is in {fetched.Path}. Go on with 'convnet resume {from}'.");
        }

        return (int)ExitCode.Ok;
    }

    private static async Task<CheckpointResult> FetchAsync(ClusterConnection cluster, string id, string directory, CancellationToken cancellation)
    {
        JobStatus job = await JobCommand.AskAsync(cluster.Job(id), id, cancellation);
        while (true)
        {
            if (job is not { Checkpoint: { } newest, Checkpoints: { } place })
            {
                throw ConvNetException.BadInput(
                    $"job '{id}' is {job.State.InWords()} at step {job.Step} and has saved no checkpoint; wait for its first one.");
            }

            ICheckpointStoreGrain store = cluster.Grains.GetGrain<ICheckpointStoreGrain>(place.Writer);
            if (await CheckpointTransfer.FetchAsync(store, JobCommand.ContactOf(id), newest.Step, directory, job: null, cancellation) is { } fetched)
            {
                return fetched;
            }

            JobStatus now = await JobCommand.AskAsync(cluster.Job(id), id, cancellation);
            if (now.Checkpoint?.Step == newest.Step)
            {
                throw ConvNetException.BadInput(
                    $"silo '{place.Silo}' does not have step {newest.Step} of job '{id}' any more: what it keeps for others is deleted some time after " +
                    "the job's end; go on from the newest checkpoint that there is elsewhere.");
            }

            // The job has saved newer ones meanwhile.
            job = now;
        }
    }

    private static int Verify(Terminal terminal, string directory, bool json)
    {
        CheckpointVerification found = CheckpointFolder.Verify(Newest(directory));
        if (json)
        {
            var fields = new JsonObject
            {
                ["event"] = "checkpoint.verified",
                ["ok"] = found.Ok,
                ["step"] = found.Step,
                ["stateSha256"] = found.StateSha256,
                ["path"] = found.Path,
            };
            terminal.Out.WriteLine(fields.ToJsonString());
        }
        else if (found.Ok)
        {
            terminal.Out.WriteLine($"{found.Path} is whole: step {found.Step}, state {found.StateSha256}");
        }

        foreach (string problem in found.Problems)
        {
            terminal.Error.WriteLine($"error: {found.Path}: {problem}");
        }

        return (int)(found.Ok ? ExitCode.Ok : ExitCode.BadInput);
    }

    /// <summary>The newest checkpoint of a run folder whether it is whole or not: passing over a damaged one would hide the damage.</summary>
    private static string Newest(string directory)
    {
        string store = Path.Combine(Path.GetFullPath(directory), CheckpointStore.FolderName);
        string? newest = Directory.Exists(store)
            ? Directory.GetDirectories(store, CheckpointFolder.Prefix + "*")
                .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal).LastOrDefault()
            : null;
        return newest ?? CheckpointStore.Resolve(directory, _ => { });
    }
}
