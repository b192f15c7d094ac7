using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A worker silo that is slower than the others: the job moves shards, and no bit.</summary>
public sealed class SlowWorkerTests(SiloFleet fleet) : IClassFixture<SiloFleet>
{
    private static readonly string[] Job = ["--model", "lenet", "--batch", "480", "--data-shards", "12", "--steps", "200000"];

    [Fact]
    public async Task A_worker_that_runs_a_quarter_of_the_time_has_fewer_shards_and_no_bit_changes()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2", "node-3");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--workers", "3", "--cluster", fleet.Url, "--out", "slow"]);
        await fleet.RowsAsync("slow", 20);
        using (new SlowedProcess(fleet.Silo("node-3").Id))
        {
            await training.SaysAsync("\"reason\":\"node-3/0 takes");
        }

        training.Terminate();
        await training.EndAsync(143);

        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1", "--stop-after", $"{end.Steps}", "--out", "alone"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * 480, end.Samples.Sum());
        JsonElement change = training.Events.First(line => line.TryGetProperty("reason", out JsonElement reason)
            && reason.GetString()!.StartsWith("node-3/0 takes", StringComparison.Ordinal));
        Assert.Equal((0, 0), (change.GetProperty("lost").GetArrayLength(), change.GetProperty("joined").GetArrayLength()));
        Assert.Equal(3, change.GetProperty("workers").GetInt32());
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        Assert.Matches("times as long a shard as the others: it has [1-3] shards? of 12 now, before [2-9]", change.GetProperty("reason").GetString());
        fleet.AssertAllRun();
    }
}
