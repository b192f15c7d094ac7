using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Which silos cannot be drained.</summary>
public class DrainTests
{
    private static readonly SiloOffer Server = new("a", 1, 1, Workers: true, Servers: true);
    private static readonly SiloOffer Worker = new("b", 1, 1, Workers: true, Servers: false);

    [Fact]
    public void The_last_silo_that_takes_servers_cannot_be_drained_and_others_can()
    {
        ConvNetException refusal = DrainGrain.WhyNot("a", [Server, Worker], isPrimary: false)!;

        Assert.Equal(ExitCode.Environment, refusal.ExitCode);
        Assert.StartsWith("silo 'a' is the last one that takes servers of jobs (role 'server'): nobody could take over from it.", refusal.Message);
        Assert.Null(DrainGrain.WhyNot("b", [Server, Worker], isPrimary: false));
        Assert.Null(DrainGrain.WhyNot("a", [Server, Worker with { Name = "c", Servers = true }], isPrimary: false));
    }

    [Fact]
    public void The_primary_of_a_cluster_without_a_store_cannot_be_drained()
    {
        ConvNetException refusal = DrainGrain.WhyNot("a", [Server, Server with { Name = "c" }], isPrimary: true)!;

        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.StartsWith("silo 'a' is the primary of a dev:// cluster, which keeps the jobs and cannot be without it", refusal.Message);
    }
}
