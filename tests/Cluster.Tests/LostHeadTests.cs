using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos that lead a job, and what becomes of it without them: another one leads it on from the record in Redis.</summary>
public sealed class LostHeadTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    /// <summary>Jobs are led on the last server silo by name; their state is on the first.</summary>
    private const string Head = "server-2";
    private const int Batch = 24;
    private static readonly string[] Workers = ["node-1", "node-2", "node-3"];
    private static readonly string[] Endless = ["--model", "lenet", "--batch", $"{Batch}", "--data-shards", "6", "-s", "layout.partitions=1"];
    private static readonly string[] Job = [.. Endless, "--steps", "1500"];

    /// <summary>So long that clients leave the silo, and too short for others to take what it leads.</summary>
    private static readonly TimeSpan LeftBehind = TimeSpan.FromSeconds(2.7);

    [Fact]
    public async Task A_detached_job_and_one_that_waits_outlive_the_silo_that_leads_them()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await HaveHeadAsync();
        await SubmitAsync("first");
        await fleet.RowsAsync("first", 200);
        await SubmitAsync("second");
        using ClientProcess known = await JobAsync(0, "list");
        fleet.Kill(Head);
        using ClientProcess first = await JobAsync(0, "wait", "first", "--json");
        using ClientProcess second = await JobAsync(0, "wait", "second", "--json");

        Assert.Contains("second", known.Output);
        await AssertWholeAsync(first, "first");
        await AssertWholeAsync(second, "second");
        using ClientProcess list = await JobAsync(0, "list", "--json");
        Assert.Contains("\"first\"", list.Output);
        Assert.Contains("\"second\"", list.Output);
    }

    [Fact]
    public async Task Orders_reach_a_job_whose_silo_is_lost()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await HaveHeadAsync();
        await SubmitAsync("ordered");
        await fleet.RowsAsync("ordered", 200);
        using ClientProcess paused = await JobAsync(0, "pause", "ordered");
        fleet.Kill(Head);
        using ClientProcess resumed = await JobAsync(0, "resume", "ordered");
        using ClientProcess ended = await JobAsync(0, "wait", "ordered", "--json");

        await AssertWholeAsync(ended, "ordered");
    }

    [Fact]
    public async Task A_client_hears_of_its_job_again_when_the_silo_that_leads_it_was_frozen_for_a_moment()
    {
        await HaveHeadAsync();
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Endless, "--steps", "1000000", "--workers", "3", .. fleet.ClusterOptions, "--out", "heard", "--job", "heard"]);
        await fleet.RowsAsync("heard", 200, training);
        fleet.Silo(Head).Freeze();
        await Task.Delay(LeftBehind, TestContext.Current.CancellationToken);
        fleet.Silo(Head).Thaw();
        await fleet.RowsAsync("heard", fleet.Rows("heard") + 1000, training);
        training.Terminate();
        await training.EndAsync(143);
    }

    private async Task HaveHeadAsync()
    {
        await fleet.HaveWorkersAsync(Workers);
        await fleet.StartAsync(Head, "server");
    }

    private async Task SubmitAsync(string id)
    {
        using ClientProcess submitted = await ClientProcess.RunAsync(
            0, fleet.Folder, ["train", "--json", .. Job, "--workers", "3", .. fleet.ClusterOptions, "--out", id, "--job", id, "--detach"]);
    }

    private Task<ClientProcess> JobAsync(int code, string command, params string[] more) =>
        ClientProcess.RunAsync(code, fleet.Folder, ["job", command, .. more, .. fleet.ClusterOptions]);

    /// <summary>The bits of one worker, and each step once in what the run has written.</summary>
    private async Task AssertWholeAsync(ClientProcess training, string run)
    {
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * Batch, end.Samples.Sum());
        Assert.Equal(
            Enumerable.Range(1, 1500),
            File.ReadLines(Path.Combine(fleet.Folder, run, "metrics.csv")).Where(row => row.Contains(",train,", StringComparison.Ordinal))
                .Select(row => int.Parse(row.Split(',')[0])));
    }
}
