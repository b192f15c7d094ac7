using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos with addresses and disks of their own, as on several machines.</summary>
public sealed class SeveralMachinesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly string[] Job = ["--model", "lenet", "--steps", "40", "--batch", "100"];

    [Theory]
    [InlineData(3, "server,worker", "server,worker", "server,worker")]
    [InlineData(2, "server", "server", "worker", "worker")]
    public async Task Machines_that_share_no_disk_give_the_bits_of_one_worker(int workers, params string[] roles)
    {
        Demand();
        using var cluster = new MachineCluster(roles.Length);
        await cluster.StartAsync(roles);
        using ClientProcess training = await cluster.RunAsync(0, 0, ["train", "--json", .. Job, "--workers", $"{workers}", "--out", "run"]);
        using ClientProcess verified = await ClientProcess.RunAsync(0, cluster.FolderOf(0), "checkpoint", "verify", "run");

        JobEnd alone = await JobEnd.TrainAsync(cluster.FolderOf(0), [.. Job, "--workers", "1", "--out", "alone"]);
        JobEnd together = JobEnd.Of(training);
        Assert.Equal(alone.StateSha256, together.StateSha256);
        Assert.Equal(workers, together.Samples.Count(samples => samples > 0));
        Assert.False(Directory.Exists(Path.Combine(cluster.FolderOf(1), "run")));
        cluster.AssertAllRun();
    }

    [Fact]
    public async Task A_detached_job_outlives_its_killed_client_and_is_watched_from_another_machine()
    {
        Demand();
        string[] job = ["--model", "lenet", "--steps", "1500", "--batch", "100"];
        using var cluster = new MachineCluster(3);
        await cluster.StartAsync("server", "worker", "worker");
        using ClientProcess client = cluster.Start(0, ["train", .. job, "--workers", "2", "--detach", "--job", "away"]);
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            using ClientProcess list = await cluster.RunAsync(2, 0, "job", "list", "--json");
            if (list.Output.Contains("\"away\""))
            {
                break;
            }

            Assert.True(waiting.Elapsed < Patience, list.Output + client.Error);
        }

        client.Kill();
        using ClientProcess attached = cluster.Start(3, "job", "attach", "away", "--json");
        using ClientProcess monitor = await cluster.RunAsync(2, 0, "monitor", "--once");
        await attached.EndAsync(0);
        using ClientProcess fetched = await cluster.RunAsync(3, 0, "checkpoint", "get", "--job", "away", "fetched", "--json");
        JobEnd alone = await JobEnd.TrainAsync(cluster.FolderOf(0), [.. job, "--workers", "1"]);

        Assert.Contains("away  lenet on fashion-mnist-mini", monitor.Output);
        Assert.Equal(alone.StateSha256, JobEnd.Of(attached).StateSha256);
        JsonElement got = Assert.Single(fetched.Events);
        Assert.Equal(alone.StateSha256, got.GetProperty("stateSha256").GetString());
        cluster.AssertAllRun();
    }

    private static void Demand()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        Assert.SkipUnless(Machines.AreAvailable, "only root may make network namespaces");
    }
}
