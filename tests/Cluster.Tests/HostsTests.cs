using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Silos that name their hosts: a server and its standby are never lost with one of these.</summary>
public sealed class HostsTests(HostsFleet fleet) : IClassFixture<HostsFleet>
{
    [Fact]
    public async Task Standbys_are_on_other_hosts_and_a_job_without_another_host_says_that_it_is_not_protected()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        using RollingRestart job = await RollingRestart.BeginAsync(fleet, "hosts");
        await AssertApartAsync(job);

        fleet.Kill(FaultFleet.Workers[^1]);
        await job.SaysAsync("is on the same host");
        await fleet.HealAsync();
        await job.RestoredAsync();
        await AssertApartAsync(job);
        await job.EndAfterKillsAsync();
    }

    private static async Task AssertApartAsync(RollingRestart job)
    {
        JsonElement[] servers = [.. (await job.ShowAsync()).GetProperty("servers").EnumerateArray().Where(server => Text(server, "role") != "checkpoint")];
        Assert.Equal(5, servers.Length);
        Assert.All(servers, server => Assert.NotEqual(HostsFleet.HostOf(Text(server, "silo")), HostsFleet.HostOf(Text(server, "standby"))));
    }

    private static string Text(JsonElement server, string name) => server.GetProperty(name).GetString()!;
}
