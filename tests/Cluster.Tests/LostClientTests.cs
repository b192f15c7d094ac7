using System.Diagnostics;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Jobs whose client is gone.</summary>
public sealed class LostClientTests(RunningCluster cluster) : IClassFixture<RunningCluster>
{
    /// <summary>A job waits 10 s for its client; the rest is for a machine that is busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly string[] Job = ["--model", "lenet", "--steps", "100000", "--batch", "96", "--workers", "2"];

    [Fact]
    public async Task A_job_whose_client_is_killed_saves_and_frees_its_workers_and_resume_ends_in_the_same_bits()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        long step = await LoseClientAsync("lost");

        string end = $"{step + 20}";
        using ClientProcess other = await ClientProcess.RunAsync(
            0, cluster.Folder, "train", "--model", "lenet", "--steps", "5", "--workers", "2", "--cluster", cluster.Url, "--out", "other");
        using ClientProcess waiting = await cluster.JobAsync(4, "wait", "lost");
        using ClientProcess resumed = await ClientProcess.RunAsync(
            0, cluster.Folder, "resume", "lost", "--json", "--stop-after", end, "--cluster", cluster.Url);
        JobEnd alone = await JobEnd.TrainAsync(cluster.Folder, [.. Job, "--stop-after", end, "--out", "alone"]);

        Assert.Equal(alone.StateSha256, JobEnd.Of(resumed).StateSha256);
        Assert.Contains("Go on with 'convnet job attach lost'", waiting.Error);
        int[] rows = StepsIn("lost");
        Assert.Equal(rows.Distinct().Order(), rows);
        Assert.Equal(Enumerable.Range((int)step + 1, 20), rows.TakeLast(20));
    }

    [Fact]
    public async Task Resume_of_a_run_whose_job_has_lost_its_client_takes_that_job_up_and_of_one_that_is_live_follows_it()
    {
        long step = await LoseClientAsync("taken");

        using ClientProcess resumed = ClientProcess.Start(cluster.Folder, "resume", "taken", "--json", "--cluster", cluster.Url);
        await resumed.SaysAsync("\"run.started\"");
        await cluster.LinesAsync("taken/metrics.csv", (int)step + 20);
        using ClientProcess following = ClientProcess.Start(cluster.Folder, "resume", "taken", "--json", "--cluster", cluster.Url);
        await following.ComplainsAsync("Job taken, lenet on fashion-mnist-mini, is ");
        using ClientProcess other = await ClientProcess.RunAsync(6, cluster.Folder, "resume", "taken", "--stop-after", "99999", "--cluster", cluster.Url);
        Assert.Contains("job 'taken' of this run is ", other.Error);
        using ClientProcess cancelled = await cluster.JobAsync(0, "cancel", "taken");
        await resumed.EndAsync(9);
        await following.EndAsync(9);
        AssertRowsAreWhole("taken");
    }

    [Fact]
    public async Task Resume_of_a_run_whose_client_was_killed_just_now_follows_the_job_and_takes_it_up_when_the_lease_is_over()
    {
        await KillClientAsync("at-once");

        using ClientProcess resumed = ClientProcess.Start(cluster.Folder, "resume", "at-once", "--json", "--cluster", cluster.Url);
        await resumed.ComplainsAsync("Job at-once, lenet on fashion-mnist-mini, is running");
        await resumed.SaysAsync("\"run.started\"");
        long step = (await cluster.ShowAsync("at-once")).GetProperty("step").GetInt64();
        await cluster.LinesAsync("at-once/metrics.csv", (int)step + 20);
        using ClientProcess cancelled = await cluster.JobAsync(0, "cancel", "at-once");
        await resumed.EndAsync(9);

        Assert.DoesNotContain("silent for too long", resumed.Output + resumed.Error);
        Assert.Single(resumed.Events, line => line.GetProperty("event").GetString() == "job.orphaned");
        AssertRowsAreWhole("at-once");
    }

    private async Task KillClientAsync(string id)
    {
        using ClientProcess training = ClientProcess.Start(
            cluster.Folder, ["train", "--json", .. Job, "--cluster", cluster.Url, "--job", id, "--out", id]);
        await cluster.LinesAsync($"{id}/metrics.csv", 20);
        training.Kill();
        await training.EndAsync();
    }

    private void AssertRowsAreWhole(string run)
    {
        int[] rows = StepsIn(run);
        Assert.Equal(Enumerable.Range(1, rows.Length), rows);
    }

    /// <summary>The steps of which a run has written rows.</summary>
    private int[] StepsIn(string run) =>
    [
        .. File.ReadLines(Path.Combine(cluster.Folder, run, "metrics.csv")).Skip(1).Where(row => row.Contains(",train,"))
            .Select(row => int.Parse(row.Split(',')[0])),
    ];

    /// <summary>Kills the client of a job that trains, and waits until the job is orphaned.</summary>
    /// <returns>The step at which the job has stopped; its checkpoint is there.</returns>
    private async Task<long> LoseClientAsync(string id)
    {
        await KillClientAsync(id);
        var waiting = Stopwatch.StartNew();
        while ((await cluster.ShowAsync(id)).GetProperty("state").GetString() != "orphaned")
        {
            Assert.True(waiting.Elapsed < Patience, $"job '{id}' still has its workers");
        }

        long step = (await cluster.ShowAsync(id)).GetProperty("step").GetInt64();
        Assert.True(Directory.Exists(Path.Combine(cluster.Folder, id, $"checkpoints/step-{step:D8}")));
        return step;
    }
}
