using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Consoles on whose ways into the cluster silos are stopped (SIGSTOP) for good: of five silos, three have neither the worker nor the servers of the job.
/// </summary>
public sealed class FrozenGatewayTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private static readonly string[] Bystanders = ["node-7", "node-8", RedisFleet.Founder];
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--workers", "1"];

    [Fact]
    public async Task Consoles_go_on_and_the_job_keeps_its_client_when_silos_on_their_ways_freeze()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        const string Run = "frozen-ways";
        await fleet.HaveWorkersAsync(["node-1", .. Bystanders]);
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--steps", "1000000", .. fleet.ClusterOptions, "--job", Run, "--out", Run]);
        await fleet.RowsAsync(Run, 20);
        using ClientProcess waiting = Watch("job", "wait", Run);
        using ClientProcess attached = Watch("job", "attach", Run);
        using ClientProcess monitor = Watch("monitor");
        await monitor.SaysAsync($"{Run}  lenet");
        await attached.ComplainsAsync("Ctrl-C leaves it alone");
        foreach (string silo in Bystanders)
        {
            fleet.Freeze(silo);
        }

        await ClientProcess.RunAsync(0, fleet.Folder, ["job", "list", .. fleet.ClusterOptions]);
        await fleet.RowsAsync(Run, fleet.Rows(Run) + 500);
        training.Terminate();
        await training.EndAsync(143);
        await waiting.EndAsync(0);
        await attached.EndAsync(0);
        await monitor.SaysAsync($"{Run}  lenet on fashion-mnist-mini  stopped");
        Assert.Empty(training.MemberChanges);
        Assert.All(new[] { training, waiting, attached }, console => Assert.DoesNotContain("   at ", console.Error));
    }

    private ClientProcess Watch(params string[] command) => ClientProcess.Start(fleet.Folder, [.. command, .. fleet.ClusterOptions]);
}
