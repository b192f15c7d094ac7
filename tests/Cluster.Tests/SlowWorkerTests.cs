using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A worker silo that is slower than the others: the job moves shards, and no bit.</summary>
public sealed class SlowWorkerTests(SiloFleet fleet) : IClassFixture<SiloFleet>
{
    private const string Moved = "times as long a shard as the others: it has";
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
            await training.SaysAsync(Moved);
            await fleet.RowsAsync("slow", fleet.Rows("slow") + 100);
        }

        training.Terminate();
        await training.EndAsync(143);

        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1", "--stop-after", $"{end.Steps}", "--out", "alone"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * 480, end.Samples.Sum());
        JsonElement change = training.Events.First(line => line.TryGetProperty("reason", out JsonElement reason)
            && reason.GetString()!.Contains(Moved, StringComparison.Ordinal));
        Assert.Equal((0, 0), (change.GetProperty("lost").GetArrayLength(), change.GetProperty("joined").GetArrayLength()));
        Assert.Equal(3, change.GetProperty("workers").GetInt32());
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        Assert.Matches($"^node-[123]/0 takes [0-9.]+ {Moved} [0-9]+ shards? of 12 now, before [0-9]+$", change.GetProperty("reason").GetString());

        // Others of this machine's processes may slow a worker down, too; over all, this one has done less than a third.
        Assert.InRange(end.Samples[2], 1, end.Steps * 160 - 1);
        fleet.AssertAllRun();
    }
}
