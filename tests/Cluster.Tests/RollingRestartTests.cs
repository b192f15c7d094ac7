using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos with all roles are emptied under training: whatever a job has there goes on elsewhere, and no step is computed again.</summary>
public sealed class RollingRestartTests(AllRolesFleet fleet) : IClassFixture<AllRolesFleet>
{
    [Fact]
    public async Task Every_silo_of_a_cluster_is_started_again_under_training_and_no_step_is_repeated()
    {
        using RollingRestart restart = await RollingRestart.BeginAsync(fleet, "rolling");
        foreach (string silo in FaultFleet.Workers)
        {
            string said = await fleet.StopAsync(silo);
            Assert.DoesNotContain("although there is still", said);
            await fleet.HealAsync();
            await restart.RestoredAsync();
        }

        await restart.EndAsync(emptied: FaultFleet.Workers.Length);
    }

    [Fact]
    public async Task A_silo_that_is_drained_stays_without_anything_of_a_job_until_it_is_started_again()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        // The one that leads the job, with a worker, servers and standbys.
        const string Drained = "node-3";
        using RollingRestart restart = await RollingRestart.BeginAsync(fleet, "drained");
        using ClientProcess unknown = await restart.DrainAsync(3, "node-4");
        Assert.Contains("no silo 'node-4' in this cluster; there are node-1, node-2, node-3.", unknown.Error);
        using ClientProcess drained = await restart.DrainAsync(0, Drained);
        Assert.Contains("Silo node-3 is drained: drained has left it.", drained.Output);
        using ClientProcess again = await restart.DrainAsync(0, Drained);
        Assert.Contains("Silo node-3 is drained: drained has left it.", again.Output);
        Assert.DoesNotContain(Drained, (await restart.ShowAsync()).ToString());
        using ClientProcess status = fleet.StartClient("cluster", "status", "--json");
        await status.EndAsync(0);
        Assert.Equal(["active", "active", "drained"], StatesIn(status));

        using ClientProcess second = await restart.DrainAsync(0, "node-2", "--json");
        Assert.Equal("""{"event":"silo.drained","silo":"node-2","jobs":["drained"]}""", second.Output.Trim());
        using ClientProcess last = await restart.DrainAsync(4, "node-1");
        Assert.Contains("silo 'node-1' is the last one that takes servers of jobs", last.Error);

        await fleet.StopAsync("node-2");
        await fleet.StopAsync(Drained);
        await fleet.HealAsync();
        await restart.RestoredAsync();
        await restart.EndAsync(emptied: 2);
    }

    /// <summary>The kill may hit what the other silo hands over to, or what it has not handed over yet.</summary>
    [Fact]
    public async Task A_silo_that_is_killed_while_another_hands_over_costs_one_step_or_takes_the_job_back_to_its_checkpoint()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        using RollingRestart restart = await RollingRestart.BeginAsync(fleet, "both");
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"random moments from {seed}");
        var random = new Random(seed);
        for (int round = 0; round < 6; round++)
        {
            string[] silos = [.. FaultFleet.Workers];
            random.Shuffle(silos);
            Task<string> stopping = fleet.StopAsync(silos[0]);
            await Task.Delay(random.Next(1500), TestContext.Current.CancellationToken);
            fleet.Kill(silos[1]);
            await stopping;
            await fleet.HealAsync();
            await restart.RestoredAsync();
        }

        await restart.EndAfterKillsAsync(mayGoBack: true);
    }

    private static string[] StatesIn(ClientProcess status) =>
        [.. status.Events[0].GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("state").GetString()!)];
}
