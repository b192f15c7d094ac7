using System.Globalization;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A worker silo that is slower than the others: the job moves shards, and no bit.</summary>
public sealed class SlowWorkerTests(SiloFleet fleet, ITestOutputHelper output) : IClassFixture<SiloFleet>
{
    private const string Moved = "times as long a shard as the others: it has";

    /// <summary>Steps within which the shards have to be moved and a step to be quicker, and those before the move with which it is compared.</summary>
    private const int Window = 60, Compared = 20;

    /// <summary>So large that a worker computes much longer a step than it is halted at a time.</summary>
    private const int Batch = 2400;

    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "12", "--steps", "200000"];

    [Fact]
    public async Task A_worker_that_runs_a_quarter_of_the_time_has_fewer_shards_within_sixty_steps_which_take_less_time_and_no_bit_changes()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync("node-1", "node-2", "node-3");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--workers", "3", "--cluster", fleet.Url, "--out", "slow"]);
        await fleet.RowsAsync("slow", 2 * Compared);
        int slowed;
        using (new SlowedProcess(fleet.Silo("node-3").Id))
        {
            slowed = Seconds().Count;
            await fleet.RowsAsync("slow", fleet.Rows("slow") + 2 * Window);
        }

        training.Terminate();
        await training.EndAsync(143);

        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1", "--stop-after", $"{end.Steps}", "--out", "alone"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());

        // On a busy machine, shards may have moved before that, or may move again.
        JsonElement change = training.Events.FirstOrDefault(line => line.TryGetProperty("reason", out JsonElement reason)
            && reason.GetString()!.StartsWith("node-3/0 takes ", StringComparison.Ordinal) && line.GetProperty("step").GetInt32() > slowed);
        Assert.True(change.ValueKind == JsonValueKind.Object, $"nothing has moved away from node-3, slow since step {slowed}: {training.Output}");
        int moved = change.GetProperty("step").GetInt32();
        Assert.InRange(moved, slowed + 1, slowed + Window);
        Assert.Equal((0, 0), (change.GetProperty("lost").GetArrayLength(), change.GetProperty("joined").GetArrayLength()));
        Assert.Equal(3, change.GetProperty("workers").GetInt32());
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        Assert.Matches($"^node-3/0 takes [0-9.]+ {Moved} [0-9]+ shards? of 12 now, before [0-9]+$", change.GetProperty("reason").GetString());

        // Others of this machine's processes may slow a worker down, too; over all, this one has done less than a third.
        Assert.InRange(end.Samples[2], 1, end.Steps * Batch / 3 - 1);
        fleet.AssertAllRun();
        AssertQuicker(slowed, moved);
    }

    /// <summary>Compares the time of steps before the move with that of the steps after it, within one run.</summary>
    private void AssertQuicker(int slowed, int moved)
    {
        List<double> seconds = Seconds();
        double before = Median(seconds[Math.Max(slowed, moved - Compared)..moved]), after = Median(seconds[moved..(slowed + Window)]);
        output.WriteLine(FormattableString.Invariant(
            $"slow since step {slowed}, shards moved at step {moved}: {before:F3} s a step before and {after:F3} s after, {after / before:P0}"));
        Assert.InRange(after, 0, 0.75 * before);
    }

    private static double Median(List<double> seconds) => seconds.Order().ElementAt(seconds.Count / 2);

    /// <summary>Of each step that stands in the metrics of the run, in order.</summary>
    private List<double> Seconds() =>
    [
        .. File.ReadLines(Path.Combine(fleet.Folder, "slow", "metrics.csv")).Select(row => row.Split(','))
            .Where(row => row is [_, _, "train", .., not ""] and { Length: 8 })
            .Select(row => double.Parse(row[7], CultureInfo.InvariantCulture)),
    ];
}
