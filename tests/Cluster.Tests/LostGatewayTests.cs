using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Consoles whose way into the cluster is lost while nothing of their job is: of five silos, three have neither its worker nor its servers, and
/// Orleans sends the questions of each console through any of the five.
/// </summary>
public sealed class LostGatewayTests(RedisFleet fleet) : IClassFixture<RedisFleet>
{
    private static readonly string[] Bystanders = ["node-7", "node-8", RedisFleet.Founder];
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--workers", "1"];

    [Fact]
    public async Task Consoles_go_on_through_other_gateways_when_theirs_are_killed()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        const string Run = "lost-ways";
        await fleet.HaveWorkersAsync(["node-1", .. Bystanders]);
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--steps", "1000000", .. fleet.ClusterOptions, "--job", Run, "--out", Run]);
        await fleet.RowsAsync(Run, 20, training);
        using ClientProcess waiting = Watch("job", "wait", Run);
        using ClientProcess attached = Watch("job", "attach", Run);
        using ClientProcess monitor = Watch("monitor");
        await monitor.SaysAsync($"{Run}  lenet");
        await attached.ComplainsAsync("Ctrl-C leaves it alone");
        foreach (string silo in Bystanders)
        {
            fleet.Kill(silo);
            await fleet.RowsAsync(Run, fleet.Rows(Run) + 20, training);
        }

        await ClientProcess.RunAsync(0, fleet.Folder, ["job", "list", .. fleet.ClusterOptions]);
        Assert.Equal([false, false, false], new[] { waiting, attached, monitor }.Select(console => console.HasExited));
        string seen = monitor.Output;
        await fleet.RowsAsync(Run, fleet.Rows(Run) + 100, training);
        training.Terminate();
        await training.EndAsync(143);
        await waiting.EndAsync(0);
        await attached.EndAsync(0);
        await monitor.SaysAsync($"{Run}  lenet on fashion-mnist-mini  stopped");

        Assert.DoesNotContain("stopped", seen);
        Assert.Empty(training.MemberChanges);
        Assert.All(new[] { training, waiting, attached }, console => Assert.DoesNotContain("   at ", console.Error));
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--steps", "1000000", "--stop-after", $"{end.Steps}"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
    }

    private ClientProcess Watch(params string[] command) => ClientProcess.Start(fleet.Folder, [.. command, .. fleet.ClusterOptions]);
}
