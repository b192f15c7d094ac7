using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Jobs that need no client.</summary>
public sealed class DetachedJobTests(RunningCluster cluster) : IClassFixture<RunningCluster>
{
    private static readonly string[] Lenet = ["--model", "lenet", "--batch", "96", "--workers", "2"];

    [Fact]
    public async Task A_detached_job_ends_by_itself_and_whoever_waits_gets_its_result()
    {
        await cluster.SubmitAsync("whole", [.. Lenet, "--steps", "200"]);
        string[] events = await cluster.LinesAsync("whole/events.jsonl", 1, "\"run.completed\"");
        JobEnd alone = await JobEnd.TrainAsync(cluster.Folder, [.. Lenet, "--steps", "200", "--out", "alone"]);
        using ClientProcess waiting = await cluster.JobAsync(0, "wait", "whole");

        Assert.Equal(alone.StateSha256, JobEnd.Of(waiting).StateSha256);
        Assert.Equal(Path.Combine(cluster.Folder, "whole/checkpoints/step-00000200"), JobEnd.Of(waiting).Checkpoint);
        Assert.Equal("whole", Assert.Single(waiting.Events).GetProperty("jobId").GetString());
        Assert.Equal(
            ["run.started", "epoch.completed", "checkpoint.saved", "epoch.completed", "checkpoint.saved", "run.completed"],
            events.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()));
        Assert.Equal(
            File.ReadLines(Path.Combine(cluster.Folder, "alone/metrics.csv")).Select(WithoutSeconds),
            File.ReadLines(Path.Combine(cluster.Folder, "whole/metrics.csv")).Select(WithoutSeconds));
        Assert.Equal("completed", (await cluster.ShowAsync("whole")).GetProperty("state").GetString());
        using ClientProcess verified = await ClientProcess.RunAsync(0, cluster.Folder, "checkpoint", "verify", "whole");
    }

    [Fact]
    public async Task A_detached_job_that_was_stopped_goes_on_detached_in_its_run_folder()
    {
        await cluster.SubmitAsync("half", [.. Lenet, "--steps", "60", "--stop-after", "20"]);
        using ClientProcess stopped = await cluster.JobAsync(0, "wait", "half");
        Assert.Equal("run.stopped", JobEnd.Of(stopped).Event);

        using ClientProcess resumed = await ClientProcess.RunAsync(
            0, cluster.Folder, "resume", "half", "--detach", "--cluster", cluster.Url, "--job", "half-2", "--json");
        using ClientProcess ended = await cluster.JobAsync(0, "wait", "half-2");
        JobEnd alone = await JobEnd.TrainAsync(cluster.Folder, [.. Lenet, "--steps", "60"]);

        Assert.Equal(alone.StateSha256, JobEnd.Of(ended).StateSha256);
        await cluster.LinesAsync("half/events.jsonl", 1, "\"run.completed\"");
        Assert.Equal(
            Enumerable.Range(1, 60).Append(60),
            File.ReadLines(Path.Combine(cluster.Folder, "half/metrics.csv")).Skip(1).Select(row => int.Parse(row.Split(',')[0])));
    }

    [Fact]
    public async Task A_detached_job_that_fails_or_is_cancelled_has_an_exit_code_of_its_own()
    {
        await cluster.SubmitAsync("diverges", [.. Lenet, "--steps", "60", "--learning-rate", "1e30"]);
        using ClientProcess failed = await cluster.JobAsync(5, "wait", "diverges");
        await cluster.SubmitAsync("long", [.. Lenet, "--steps", "100000"]);
        await cluster.LinesAsync("long/metrics.csv", 20);
        using ClientProcess waiting = ClientProcess.Start(cluster.Folder, "job", "wait", "long", "--cluster", cluster.Url, "--json");
        using ClientProcess cancelled = await cluster.JobAsync(0, "cancel", "long");
        await waiting.EndAsync(9);
        using ClientProcess again = await cluster.JobAsync(6, "cancel", "long");
        using ClientProcess unknown = await cluster.JobAsync(3, "wait", "unknown");

        Assert.Equal(5, Assert.Single(failed.Events).GetProperty("exitCode").GetInt32());
        Assert.Equal("run.failed", Assert.Single(waiting.Events).GetProperty("event").GetString());
        Assert.True(Directory.Exists(Assert.Single(cancelled.Events).GetProperty("checkpoint").GetString()));
        Assert.Contains("it is cancelled", again.Error);
        Assert.Contains("no job 'unknown'", unknown.Error);
        await cluster.LinesAsync("long/events.jsonl", 1, "\"run.failed\"");
    }

    [Fact]
    public async Task A_job_is_paused_for_another_one_and_whoever_attaches_sees_all_of_it()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        string[] job = [.. Lenet, "--steps", "1500"];
        await cluster.SubmitAsync("patient", job);
        await cluster.LinesAsync("patient/metrics.csv", 5);
        using ClientProcess paused = await cluster.JobAsync(0, "pause", "patient");
        using ClientProcess attached = ClientProcess.Start(cluster.Folder, "job", "attach", "patient", "--cluster", cluster.Url, "--json");
        await cluster.SubmitAsync("hasty", [.. Lenet, "--steps", "10", "--priority", "7"]);
        using ClientProcess ended = await cluster.JobAsync(0, "wait", "hasty");
        JsonElement rests = await cluster.ShowAsync("patient");
        using ClientProcess resumed = await cluster.JobAsync(0, "resume", "patient");
        using ClientProcess again = await cluster.JobAsync(6, "resume", "patient");
        await attached.EndAsync(0);
        using ClientProcess logs = await cluster.JobAsync(0, "logs", "patient");
        JobEnd alone = await JobEnd.TrainAsync(cluster.Folder, [.. job, "--out", "undisturbed"]);

        Assert.Equal("paused", rests.GetProperty("state").GetString());
        Assert.Equal(7, (await cluster.ShowAsync("hasty")).GetProperty("priority").GetInt32());
        Assert.Equal(Assert.Single(paused.Events).GetProperty("step").GetInt64(), rests.GetProperty("step").GetInt64());
        Assert.Equal(alone.StateSha256, JobEnd.Of(attached).StateSha256);
        string[] events = [.. attached.Events.Select(happened => happened.GetProperty("event").GetString()!)];
        Assert.Equal(["job.paused", "job.resumed"], events.Where(name => name.StartsWith("job.", StringComparison.Ordinal)));
        Assert.Equal(attached.Events.Select(happened => happened.GetRawText()), logs.Events.Select(happened => happened.GetRawText()));
        Assert.Equal(
            attached.Events.Select(happened => happened.GetRawText()),
            (await cluster.LinesAsync("patient/events.jsonl", 1, "\"run.completed\"")).Skip(1));
        Assert.Equal(
            File.ReadLines(Path.Combine(cluster.Folder, "undisturbed/metrics.csv")).Select(WithoutSeconds),
            File.ReadLines(Path.Combine(cluster.Folder, "patient/metrics.csv")).Select(WithoutSeconds));
    }

    [Fact]
    public async Task A_run_folder_or_a_name_that_is_taken_is_a_conflict_at_once()
    {
        await cluster.SubmitAsync("first", [.. Lenet, "--steps", "10"]);
        using ClientProcess ended = await cluster.JobAsync(0, "wait", "first");
        string[] job = [.. Lenet, "--steps", "10", "--cluster", cluster.Url, "--detach", "--json"];

        using ClientProcess sameFolder = await ClientProcess.RunAsync(6, cluster.Folder, ["train", .. job, "--job", "second", "--out", "first"]);
        using ClientProcess sameName = await ClientProcess.RunAsync(6, cluster.Folder, ["train", .. job, "--job", "first", "--out", "second"]);

        Assert.Contains("exists and is not empty", sameFolder.Error);
        Assert.Contains("job 'first' exists and is completed", sameName.Error);
        Assert.False(Directory.Exists(Path.Combine(cluster.Folder, "second")));
    }

    private static string WithoutSeconds(string row) => row[..row.LastIndexOf(',')];
}
