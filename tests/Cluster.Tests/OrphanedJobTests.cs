using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Jobs that have lost their client, and those who take them up.</summary>
public sealed class OrphanedJobTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    /// <summary>A job waits 10 s for its client; the rest is for a machine that is busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    /// <summary>Steps of a job that a console has time to pause, and which then ends soon.</summary>
    private const int Whole = 1500;

    private static readonly string[] Workers = ["node-1", "node-2"];
    private static readonly string[] Lenet = ["--model", "lenet", "--batch", "24", "--workers", "2"];
    private static readonly string[] Short = [.. Lenet, "--steps", $"{Whole}"];

    [Fact]
    public async Task Another_console_takes_up_a_job_whose_client_was_killed_and_every_step_is_in_its_run_once()
    {
        await fleet.HaveWorkersAsync(Workers);
        string[] job = [.. Lenet, "--steps", "100000"];
        using ClientProcess training = Train("killed", job);
        await fleet.RowsAsync("killed", 20);
        training.Kill();
        long orphaned = await OrphanedAsync("killed");

        using ClientProcess attached = Attach("killed");
        await fleet.RowsAsync("killed", (int)orphaned + 20, attached);
        using ClientProcess onlooker = Attach("killed");
        using ClientProcess cancelled = await JobAsync(0, "cancel", "killed");
        await attached.EndAsync(9);
        await onlooker.EndAsync(9);
        using ClientProcess verified = await ClientProcess.RunAsync(0, fleet.Folder, "checkpoint", "verify", "killed", "--json");
        JsonElement saved = Assert.Single(verified.Events);
        int step = saved.GetProperty("step").GetInt32();
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. job, "--stop-after", $"{step}", "--out", "killed-alone"]);

        Assert.Equal(alone.StateSha256, saved.GetProperty("stateSha256").GetString());
        Assert.Equal(Enumerable.Range(1, step), Steps("killed"));
        string[] events = Events("killed");
        Assert.Equal(["job.orphaned", "job.resumed"], events.Where(name => name.StartsWith("job.", StringComparison.Ordinal)));
        Assert.Equal(["run.started", "run.started", "run.failed"], events.Where(name => name.StartsWith("run.", StringComparison.Ordinal)));
        fleet.AssertAllRun();
    }

    [Fact]
    public async Task A_client_that_was_suspended_finds_its_job_taken_up_and_harms_nothing()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync(Workers);
        using ClientProcess suspended = await PausedAsync("frozen");
        Assert.Equal(0, ClientProcess.Send(suspended.Id, ClientProcess.SigStop));
        await OrphanedAsync("frozen");

        using ClientProcess alone = await JobAsync(0, "resume", "frozen");
        while ((await ShowAsync("frozen")).GetProperty("reason").GetString()?.Contains("is in use by another run", StringComparison.Ordinal) != true)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        using ClientProcess attached = Attach("frozen");
        await attached.SaysAsync("\"run.started\"");
        Assert.Equal(0, ClientProcess.Send(suspended.Id, ClientProcess.SigCont));
        await suspended.EndAsync(6);
        await attached.EndAsync(0);

        Assert.Contains("somebody else has taken the job up", suspended.Error);
        Assert.Single(suspended.Error.TrimEnd().Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.Contains("writes a run folder of its own", attached.Output);
        Assert.Equal(await AloneAsync(), JobEnd.Of(attached).StateSha256);
        Assert.StartsWith(Path.Combine(fleet.Folder, "runs/train-"), JobEnd.Of(attached).Checkpoint);
        Assert.DoesNotContain(Whole, Steps("frozen"));
    }

    [Fact]
    public async Task An_orphaned_job_that_is_resumed_needs_no_client_any_more()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync(Workers);
        using ClientProcess training = await PausedAsync("resumed");
        training.Kill();
        await OrphanedAsync("resumed");

        using ClientProcess refused = await JobAsync(6, "pause", "resumed");
        using ClientProcess resumed = await JobAsync(0, "resume", "resumed");
        using ClientProcess ended = await JobAsync(0, "wait", "resumed", "--json");

        Assert.Contains("as its client was silent for", refused.Error);
        Assert.Equal(await AloneAsync(), JobEnd.Of(ended).StateSha256);
        await fleet.RowsAsync("resumed", Whole);
        Assert.Equal(Enumerable.Range(1, Whole), Steps("resumed"));
    }

    private ClientProcess Train(string id, string[] job) =>
        ClientProcess.Start(fleet.Folder, ["train", "--json", .. job, .. fleet.ClusterOptions, "--job", id, "--out", id]);

    private ClientProcess Attach(string id) => ClientProcess.Start(fleet.Folder, ["job", "attach", id, "--json", .. fleet.ClusterOptions]);

    /// <summary>An attached job that has done some steps and is paused, so that it does not end while it waits for its client.</summary>
    private async Task<ClientProcess> PausedAsync(string id)
    {
        ClientProcess training = Train(id, Short);
        await fleet.RowsAsync(id, 10, training);
        using ClientProcess paused = await JobAsync(0, "pause", id);
        return training;
    }

    private Task<ClientProcess> JobAsync(int code, string command, params string[] more) =>
        ClientProcess.RunAsync(code, fleet.Folder, ["job", command, .. more, .. fleet.ClusterOptions]);

    private async Task<JsonElement> ShowAsync(string id)
    {
        using ClientProcess shown = await JobAsync(0, "show", id, "--json");
        return Assert.Single(shown.Events);
    }

    private async Task<long> OrphanedAsync(string id)
    {
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            JsonElement job = await ShowAsync(id);
            if (job.GetProperty("state").GetString() == "orphaned")
            {
                return job.GetProperty("step").GetInt64();
            }

            Assert.True(waiting.Elapsed < Patience, $"job '{id}' is still {job.GetProperty("state")}");
        }
    }

    private async Task<string> AloneAsync() => (await JobEnd.TrainAsync(fleet.Folder, Short)).StateSha256;

    private IEnumerable<int> Steps(string run) =>
        File.ReadLines(Path.Combine(fleet.Folder, run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
            .Select(row => int.Parse(row.Split(',')[0]));

    private string[] Events(string run) =>
    [
        .. File.ReadLines(Path.Combine(fleet.Folder, run, "events.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!),
    ];
}
