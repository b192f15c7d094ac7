using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What a cluster keeps of jobs whose clients were killed: nothing that grows.</summary>
public sealed class LostJobsTests(SiloFleet fleet, ITestOutputHelper output) : IClassFixture<SiloFleet>
{
    private const int Jobs = 10;
    private static readonly string[] Job =
        ["train", "--model", "vgg11-bn", "--steps", "10000", "--batch", "4", "--data-shards", "1", "--workers", "1"];

    [Fact]
    public async Task A_server_silo_holds_no_more_memory_after_ten_lost_jobs_than_after_two()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        await fleet.HaveWorkersAsync("node-1");
        var megabytes = new List<long>();
        for (int job = 0; job < Jobs; job++)
        {
            string id = $"lost-{job}";
            using ClientProcess training = ClientProcess.Start(
                fleet.Folder,
                [.. Job, "--cluster", fleet.Url, "--job", id, "--out", id]);
            await fleet.RowsAsync(id, 5);
            training.Kill();
            await EndedAsync(id);

            // The memory is given back a moment after the last server is freed.
            await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
            megabytes.Add(fleet.MegabytesOf("server-1"));
        }

        output.WriteLine($"MB after each lost job: {string.Join(", ", megabytes)}");
        Assert.InRange(megabytes[^1], 0, megabytes[1] * 1.1);
    }

    private async Task EndedAsync(string id)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            using ClientProcess show = await ClientProcess.RunAsync(0, fleet.Folder, "job", "show", id, "--cluster", fleet.Url, "--json");
            if (show.Output.Contains("orphaned", StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(200, deadline.Token);
        }
    }
}
