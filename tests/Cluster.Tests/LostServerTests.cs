using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Silos that hold a part of the job's state: with standbys the job goes on from the step in progress, without them from its last checkpoint.
/// </summary>
public sealed class LostServerTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private const int Steps = 500, Batch = 96;
    private static readonly string[] Job =
        ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--steps", $"{Steps}", "--workers", "2", "-s", "checkpoint.everySteps=50"];

    private static JobEnd? _alone;

    [Theory]
    [InlineData("server-2")]
    [InlineData("server-3")]
    public async Task A_job_whose_server_silo_is_killed_goes_on_with_the_standbys_from_the_step_in_progress(string lost)
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await HaveServersAsync();
        string run = $"lost-{lost}";
        using ClientProcess training = Train(run);
        await fleet.RowsAsync(run, 200, training);
        fleet.Kill(lost);
        await training.EndAsync(0);

        Assert.Empty(Events(training, "job.requeued"));
        Assert.Contains(Events(training, "members.changed"), change =>
            change.GetProperty("reason").GetString()!.Contains($"silo '{lost}'", StringComparison.Ordinal)
            && change.GetProperty("reason").GetString()!.Contains("on elsewhere", StringComparison.Ordinal));
        Assert.All(Events(training, "members.changed"), change => Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1));
        string warnings = string.Join(' ', Events(training, "warning").Select(warning => warning.GetProperty("message").GetString()));
        Assert.Contains("not protected until", warnings);
        Assert.Contains("protected again", warnings);
        await AssertWholeAsync(training, run);
        fleet.AssertAllRun();
    }

    [Fact]
    public async Task A_job_without_standbys_goes_back_to_its_checkpoint_and_ends_in_the_same_bits()
    {
        await HaveServersAsync();
        using ClientProcess training = Train("back", "-s", "layout.standbys=0");
        await fleet.RowsAsync("back", 200, training);
        fleet.Kill("server-2");
        await training.EndAsync(0);

        JsonElement back = Assert.Single(Events(training, "job.requeued"));
        Assert.Contains("silo 'server-2' has left the cluster while the job was", back.GetProperty("reason").GetString());
        Assert.Contains("partition 1, batch norm; the job goes back to step", back.GetProperty("reason").GetString());
        Assert.Single(Events(training, "job.resumed"));
        await AssertWholeAsync(training, "back");
    }

    private static JsonElement[] Events(ClientProcess training, string name) =>
        [.. training.Events.Where(line => line.GetProperty("event").GetString() == name)];

    private async Task HaveServersAsync()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2");
        await fleet.StartAsync("server-2", "server");
        await fleet.StartAsync("server-3", "server");
    }

    private ClientProcess Train(string run, params string[] more) =>
        ClientProcess.Start(fleet.Folder, ["train", "--json", .. Job, .. fleet.ClusterOptions, "--out", run, .. more]);

    /// <summary>The bits of one worker, each step once.</summary>
    private async Task AssertWholeAsync(ClientProcess training, string run)
    {
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = _alone ??= await JobEnd.TrainAsync(fleet.Folder, [.. Job]);
        Assert.Equal((alone.StateSha256, Steps), (end.StateSha256, end.Steps));
        Assert.Equal(Steps * Batch, end.Samples.Sum());
        int[] steps = [.. File.ReadLines(Path.Combine(fleet.Folder, run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
            .Select(row => int.Parse(row.Split(',')[0]))];
        Assert.Equal(Enumerable.Range(1, Steps), steps);
    }
}
