using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Worker silos that are killed while they compute, leave and join: the job goes on to the same bits.</summary>
public sealed class LostWorkerTests(SiloFleet fleet, ITestOutputHelper output) : IClassFixture<SiloFleet>
{
    private const int Kills = 50, Batch = 24;
    private static readonly string[] Workers = ["node-1", "node-2", "node-3"];
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--workers", "3"];

    [Fact]
    public async Task A_worker_silo_that_is_killed_costs_a_step_at_most_and_no_bit()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        string[] job = [.. Job, "--steps", "1500"];
        JobEnd undisturbed = await JobEnd.TrainAsync(fleet.Folder, [.. job, "--out", "undisturbed"]);
        var gaps = new List<double>();
        for (int kill = 0; kill < Kills; kill++)
        {
            string run = $"killed-{kill}";
            string[] victims = kill % 3 == 1 ? ["node-1", "node-3"] : [Workers[kill % Workers.Length]];
            await fleet.HaveWorkersAsync([.. Workers, "node-8"]);

            // Of three kills, one hits two silos at once, and one a job that saves most of the time.
            string[] saves = kill % 3 == 2 ? ["-s", "checkpoint.everySteps=5"] : [];
            using ClientProcess training = ClientProcess.Start(fleet.Folder, ["train", "--json", .. job, .. saves, "--cluster", fleet.Url, "--out", run]);
            await fleet.RowsAsync(run, 20 + 37 * kill % 400);
            Array.ForEach(victims, fleet.Kill);
            await training.EndAsync(0);

            JobEnd end = JobEnd.Of(training);
            Assert.Equal((undisturbed.StateSha256, 1500L), (end.StateSha256, end.Steps));
            Assert.Equal(1500 * Batch, end.Samples.Sum());
            JsonElement[] changes = [.. training.MemberChanges.Where(change => change.GetProperty("lost").GetArrayLength() > 0)];
            Assert.Equal(
                victims.Select(name => $"{name}/0"),
                changes.SelectMany(change => change.GetProperty("lost").EnumerateArray()).Select(name => name.GetString()).Order());
            Assert.All(changes, change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
            Assert.Single(training.Events, line => line.GetProperty("event").GetString() == "run.started");
            AssertEachStepOnce(run, 1500);
            fleet.AssertAllRun();
            gaps.AddRange(changes.Select(change => change.GetProperty("gapSeconds").GetDouble()));
        }

        gaps.Sort();
        output.WriteLine(FormattableString.Invariant(
            $"{Kills} runs; gapSeconds p50 {gaps[gaps.Count / 2]:F2}, p95 {gaps[(int)(gaps.Count * 0.95)]:F2}, longest {gaps[^1]:F2}"));
    }

    [Fact]
    public async Task A_job_goes_from_one_worker_to_four_to_two_to_three_as_silos_start_leave_and_die()
    {
        await fleet.HaveWorkersAsync("node-1");
        string[] job = [.. Job[..^1], "4", "--min-workers", "1", "--steps", "200000"];
        using ClientProcess training = ClientProcess.Start(fleet.Folder, ["train", "--json", .. job, "--cluster", fleet.Url, "--out", "elastic"]);
        await fleet.RowsAsync("elastic", 20);
        await fleet.HaveWorkersAsync("node-1", "node-2", "node-3", "node-4");
        await training.SaysAsync("\"workers\":4");
        await fleet.StopAsync("node-1");
        await training.SaysAsync("\"lost\":[\"node-1/0\"]");
        fleet.Kill("node-2");
        await training.SaysAsync("\"lost\":[\"node-2/0\"]");
        await fleet.StartAsync("node-5", "worker");
        await training.SaysAsync("\"joined\":[\"node-5/0\"]");
        training.Terminate();
        await training.EndAsync(143);

        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. job, "--stop-after", $"{end.Steps}", "--out", "alone"]);
        Assert.Equal(alone.StateSha256, end.StateSha256);
        JsonElement[] changes = training.MemberChanges;
        Assert.Equal([4, 3, 2, 3], changes.Select(change => change.GetProperty("workers").GetInt32()).SkipWhile(workers => workers < 4));
        Assert.Equal(0, changes[^3].GetProperty("stepsRepeated").GetInt32());
        Assert.All(changes, change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
        Assert.Equal(5, end.Samples.Length);
        AssertEachStepOnce("elastic", (int)end.Steps);
    }

    private void AssertEachStepOnce(string run, int steps) => Assert.Equal(
        Enumerable.Range(1, steps),
        File.ReadLines(Path.Combine(fleet.Folder, run, "metrics.csv")).Where(row => row.Contains(",train,")).Select(row => int.Parse(row.Split(',')[0])));
}
