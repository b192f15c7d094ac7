using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos that find each other by Redis, and what becomes of a job when one of them or Redis itself fails.</summary>
public sealed class RedisClusterTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(FullRun.IsAsked ? 30 : 6);
    private static readonly string[] Workers = ["node-1", "node-2", "node-3"];
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--data-shards", "6"];

    [Fact]
    public async Task The_silo_that_began_the_cluster_may_die_and_a_worker_silo_costs_a_step_at_most_and_no_bit()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync([.. Workers, RedisFleet.Founder]);
        using ClientProcess training = Train("kills", "--steps", "1500");
        await fleet.RowsAsync("kills", 50);
        fleet.Kill(RedisFleet.Founder);
        await fleet.RowsAsync("kills", 600);
        Assert.Empty(training.MemberChanges);
        fleet.Kill("node-2");
        await training.EndAsync(0);

        JsonElement change = Assert.Single(training.MemberChanges);
        Assert.Equal("node-2/0", Assert.Single(change.GetProperty("lost").EnumerateArray()).GetString());
        Assert.InRange(change.GetProperty("stepsRepeated").GetInt32(), 0, 1);
        await AssertBitsOfOneWorkerAsync(training, "--steps", "1500");
        fleet.AssertAllRun();
    }

    [Fact]
    public async Task Training_goes_on_while_redis_is_frozen_and_silos_join_when_it_is_back()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync(Workers);
        using ClientProcess training = Train("frozen", "--steps", "200000");
        await fleet.RowsAsync("frozen", 50);
        fleet.Redis.Freeze();
        try
        {
            using ClientProcess list = await ClientProcess.RunAsync(4, fleet.Folder, ["job", "list", .. fleet.ClusterOptions]);
            Assert.Contains($"Redis at {fleet.Redis.Endpoint} cannot be reached", list.Error);
            await Task.Delay(Outage, TestContext.Current.CancellationToken);
            await fleet.RowsAsync("frozen", fleet.Rows("frozen") + 100);
        }
        finally
        {
            fleet.Redis.Thaw();
        }

        await fleet.HaveWorkersAsync([.. Workers, "node-4"]);
        await fleet.RowsAsync("frozen", fleet.Rows("frozen") + 100);
        training.Terminate();
        await training.EndAsync(143);

        Assert.Empty(training.MemberChanges);
        await AssertBitsOfOneWorkerAsync(training, "--steps", "200000", "--stop-after", $"{JobEnd.Of(training).Steps}");
        fleet.AssertAllRun();
    }

    [Fact]
    public async Task Whoever_has_no_password_of_redis_or_another_one_is_refused_with_a_sentence_and_harms_nobody()
    {
        const string Wrong = "another-secret";
        string file = Path.Combine(fleet.Folder, "another");
        await File.WriteAllTextAsync(file, Wrong, TestContext.Current.CancellationToken);
        foreach (string[] command in new string[][] { ["job", "list"], ["silo", "--name", "node-7"], ["train", "--steps", "1", "--out", "refused"] })
        {
            using ClientProcess without = await ClientProcess.RunAsync(8, fleet.Folder, [.. command, "--cluster", fleet.Url]);
            using ClientProcess other = await ClientProcess.RunAsync(8, fleet.Folder, [.. command, .. fleet.OptionsWith(file)]);

            Assert.Contains($"Redis at {fleet.Redis.Endpoint} asks for a password", without.Error);
            Assert.Contains($"Redis at {fleet.Redis.Endpoint} refuses the password in '{file}'", other.Error);
            Assert.DoesNotContain(Wrong, other.Error);
        }

        fleet.AssertAllRun();
    }

    [Fact]
    public async Task The_url_of_another_kind_of_cluster_is_recognised_at_the_port_that_it_names()
    {
        using ClientProcess dev = await ClientProcess.RunAsync(
            4, fleet.Folder, "job", "list", "--cluster", $"dev://127.0.0.1:11111?gateway={fleet.GatewayOf("server-1")}");
        using ClientProcess redis = await ClientProcess.RunAsync(
            4, fleet.Folder, "job", "list", "--cluster", $"redis://127.0.0.1:{fleet.GatewayOf("server-1")}?id=lab");

        Assert.Contains("is the gateway of a silo whose cluster is in Redis, which a dev:// URL does not mean", dev.Error);
        Assert.Contains("is a port of a silo, not Redis; name the --cluster that the silo was given", redis.Error);
    }

    private ClientProcess Train(string run, params string[] more) =>
        ClientProcess.Start(fleet.Folder, ["train", "--json", .. Job, "--workers", "3", .. fleet.ClusterOptions, "--out", run, .. more]);

    private async Task AssertBitsOfOneWorkerAsync(ClientProcess training, params string[] more)
    {
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1", .. more]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
        Assert.Equal(end.Steps * 96, end.Samples.Sum());
    }
}
