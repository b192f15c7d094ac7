using System.Net;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A Redis that comes back without its data, and with it without the membership of a cluster whose silos live on.</summary>
public sealed class EmptiedRedisTests : IAsyncLifetime
{
    private readonly RedisFleet _fleet = new();

    public ValueTask InitializeAsync() => _fleet.InitializeAsync();

    public ValueTask DisposeAsync() => _fleet.DisposeAsync();

    [Fact]
    public async Task Silos_that_are_missing_in_an_emptied_redis_say_so_and_end_when_another_begins_the_cluster_anew()
    {
        string[] job = ["--model", "lenet", "--batch", "96", "--steps", "200000", "--workers", "1"];
        using ClientProcess training = ClientProcess.Start(_fleet.Folder, ["train", "--json", .. job, .. _fleet.ClusterOptions, "--out", "run"]);
        await _fleet.RowsAsync("run", 50);
        _fleet.Redis.Kill();
        await _fleet.Redis.StartAsync();
        ClientProcess[] old = [_fleet.Silo(RedisFleet.Founder), _fleet.Silo("server-1")];
        foreach (ClientProcess silo in old)
        {
            await silo.ComplainsAsync("is missing in the membership table of cluster 'lab'");
        }

        await training.EndAsync(4);
        Assert.Matches(@"the job's record has vanished from the cluster's store, .*; step \d+ is saved in .*; resume the run", training.Error);
        Assert.All(old, silo => Assert.False(silo.HasExited));

        await _fleet.StartAsync("node-1", "worker,server");
        foreach (ClientProcess silo in old)
        {
            await silo.EndAsync(4);
            Assert.Contains("has been begun anew without it", silo.Error);
        }

        using ClientProcess list = await ClientProcess.RunAsync(0, _fleet.Folder, ["job", "list", .. _fleet.ClusterOptions]);
        Assert.Contains("No jobs", list.Output);
        using ClientProcess resumed = await ClientProcess.RunAsync(
            0, _fleet.Folder, ["train", "--json", "--steps", "5", "--workers", "1", .. _fleet.ClusterOptions, "--out", "next"]);
    }

    [Fact]
    public async Task A_silo_that_is_missing_in_an_emptied_redis_is_not_ready_and_leaves_when_it_is_told_to()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        int port = FreePorts.Take(1)[0];
        await _fleet.StartAsync("node-1", "worker", "--http", $"{port}");
        using var web = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync());
        _fleet.Redis.Kill();
        await _fleet.Redis.StartAsync();
        ClientProcess silo = _fleet.Silo("node-1");
        await silo.ComplainsAsync("is missing in the membership table of cluster 'lab'");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadyAsync());
        silo.Terminate();
        await silo.EndAsync(143);

        Assert.Contains("leaves without having said so to its cluster", silo.Error);

        async Task<HttpStatusCode> ReadyAsync()
        {
            using HttpResponseMessage answer = await web.GetAsync($"http://127.0.0.1:{port}/health/ready", TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }
}
