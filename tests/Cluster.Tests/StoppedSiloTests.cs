using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What a job does when a silo on which it has a part is told to stop.</summary>
public sealed class StoppedSiloTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private const string LaterServer = "server-2";
    private const int Batch = 24;
    private static readonly string[] Workers = ["node-1", "node-2", "node-3"];
    private static readonly string[] Job = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "--steps", "1000"];

    [Fact]
    public async Task A_worker_silo_leaves_at_a_step_boundary_and_no_step_is_repeated()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync(Workers);
        using ClientProcess training = Train("worker");
        await fleet.RowsAsync("worker", 50);
        string said = await fleet.StopAsync("node-2");
        await training.EndAsync(0);

        JsonElement change = Assert.Single(training.MemberChanges);
        Assert.Equal("node-2/0", Assert.Single(change.GetProperty("lost").EnumerateArray()).GetString());
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        Assert.Contains("its silo was stopped", change.GetProperty("reason").GetString());
        Assert.Contains("waits for job '", said);
        await AssertBitsOfOneWorkerAsync(training);
    }

    [Fact]
    public async Task A_server_silo_hands_over_to_standbys_and_no_step_is_repeated()
    {
        await HaveTwoServersAsync();
        using ClientProcess training = Train("handed");
        await fleet.RowsAsync("handed", 50);
        string said = await fleet.StopAsync("server-1");
        await training.EndAsync(0);
        await fleet.StartAsync("server-1", "server");

        Assert.Contains("whose servers there hand over to their standbys", said);
        Assert.Empty(Events(training, "job.requeued"));
        JsonElement change = Assert.Single(
            Events(training, "members.changed"), line => line.GetProperty("reason").GetString()!.Contains("go on elsewhere", StringComparison.Ordinal));
        Assert.Contains("silo 'server-1' is being stopped: its partition 0, coordinator", change.GetProperty("reason").GetString());
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        await AssertBitsOfOneWorkerAsync(training);
    }

    [Fact]
    public async Task A_server_silo_lets_a_job_without_standbys_save_and_go_on_elsewhere()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await HaveTwoServersAsync();
        using ClientProcess training = Train("server", "-s", "layout.standbys=0");
        await fleet.RowsAsync("server", 50);
        string said = await fleet.StopAsync("server-1");
        await training.EndAsync(0);
        await fleet.StartAsync("server-1", "server");

        Assert.Contains("which finishes its step, saves and goes back to the queue", said);
        JsonElement yielded = Assert.Single(Events(training, "job.requeued"));
        Assert.Contains("silo 'server-1' with servers of the job was stopped", yielded.GetProperty("reason").GetString());
        Assert.Single(Events(training, "job.resumed"));
        await AssertBitsOfOneWorkerAsync(training);
    }

    [Fact]
    public async Task A_silo_that_only_leads_the_job_leaves_it_to_another_one()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await HaveTwoServersAsync();
        using ClientProcess training = Train("led", "-s", "layout.partitions=1");
        await fleet.RowsAsync("led", 50);
        await fleet.StopAsync(LaterServer);
        await training.EndAsync(0);

        JsonElement change = Assert.Single(
            Events(training, "members.changed"), line => line.GetProperty("reason").GetString()!.Contains("is led by", StringComparison.Ordinal));
        Assert.Empty(training.MemberChanges);
        Assert.Equal(0, change.GetProperty("stepsRepeated").GetInt32());
        Assert.Contains($"led by silo 'server-1' now, as silo '{LaterServer}' has handed it on", change.GetProperty("reason").GetString());
        await AssertBitsOfOneWorkerAsync(training);
    }

    private static JsonElement[] Events(ClientProcess training, string name) =>
        [.. training.Events.Where(line => line.GetProperty("event").GetString() == name)];

    /// <summary>Jobs are kept by the later one by name.</summary>
    private async Task HaveTwoServersAsync()
    {
        await fleet.HaveWorkersAsync(Workers);
        await fleet.StartAsync(LaterServer, "server");
    }

    private ClientProcess Train(string run, params string[] more) =>
        ClientProcess.Start(fleet.Folder, ["train", "--json", .. Job, "--workers", "3", .. fleet.ClusterOptions, "--out", run, .. more]);

    private Task<JobEnd> AloneAsync() => JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1"]);

    private async Task AssertBitsOfOneWorkerAsync(ClientProcess training)
    {
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await AloneAsync();
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
    }
}
