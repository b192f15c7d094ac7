using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The silo that writes the run folder of a detached job, lost before there is a checkpoint: another one takes the folder over.</summary>
/// <remarks>Without standbys the job begins again; with them it goes on, and so does its run folder.</remarks>
public sealed class LostWriterTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    /// <summary>The first server silo by name; what is written after it is lost goes through the second.</summary>
    private const string Writer = "server-1";
    private const int Steps = 400;
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--data-shards", "6", "--steps", $"{Steps}", "--workers", "2"];

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    public async Task A_detached_job_tells_each_step_and_event_once_in_its_run_folder(bool isFrozen, int standbys)
    {
        Assert.SkipWhen((isFrozen || standbys > 0) && !FullRun.IsAsked, FullRun.Needed);
        string run = $"{(isFrozen ? "frozen" : "killed")}-{standbys}";
        await fleet.HaveWorkersAsync("node-1", "node-2");
        await fleet.HaveAsync(Writer, "server");
        await fleet.HaveAsync("server-2", "server");
        using ClientProcess submitted = await ClientProcess.RunAsync(
            0,
            fleet.Folder,
            ["train", "--json", .. Job, "-s", $"layout.standbys={standbys}", .. fleet.ClusterOptions, "--out", run, "--job", run, "--detach"]);
        await fleet.RowsAsync(run, 100);
        if (isFrozen)
        {
            fleet.Freeze(Writer);
        }
        else
        {
            fleet.Kill(Writer);
        }

        using ClientProcess waiting = await ClientProcess.RunAsync(0, fleet.Folder, ["job", "wait", run, "--json", .. fleet.ClusterOptions]);
        if (isFrozen)
        {
            fleet.Kill(Writer);
        }

        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--out", run + "-alone"]);
        Assert.Equal(alone.StateSha256, JobEnd.Of(waiting).StateSha256);
        string[] events = [.. File.ReadLines(Path.Combine(fleet.Folder, run, "events.jsonl"))];
        Assert.Equal(1 - standbys, events.Count(line => line.Contains("\"event\":\"job.requeued\"", StringComparison.Ordinal)));
        Assert.Equal(1 - standbys, events.Count(line => line.Contains("\"event\":\"job.resumed\"", StringComparison.Ordinal)));
        Assert.Equal("run.completed", JsonDocument.Parse(events[^1]).RootElement.GetProperty("event").GetString());
        Assert.Equal(
            Enumerable.Range(1, Steps),
            File.ReadLines(Path.Combine(fleet.Folder, run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
                .Select(row => int.Parse(row.Split(',')[0])));
    }
}
