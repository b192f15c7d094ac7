using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>Where standbys are, when silos name their hosts: never on that of their server.</summary>
public class ServerRolesTests
{
    [Fact]
    public void A_standby_is_on_another_host_than_its_server() =>
        Assert.Equal(["a>c", "b>c", "c>a", "b>c", "a>c"], Pairs(Plan(Silo("a", "h1"), Silo("b", "h1"), Silo("c", "h2"))));

    [Fact]
    public void Standbys_are_spread_over_the_silos_of_the_other_host() =>
        Assert.Equal(
            ["a>c", "b>d", "c>a", "d>b", "b>c", "a>d"], Pairs(Plan(Silo("a", "h1"), Silo("b", "h1"), Silo("c", "h2"), Silo("d", "h2"))));

    [Fact]
    public void Silos_that_name_no_host_may_be_anywhere()
    {
        Assert.Equal(["a>b", "b>c", "c>a", "b>c", "a>b"], Pairs(Plan(Silo("a"), Silo("b"), Silo("c"))));
        Assert.Equal(["a>c", "b>c", "c>a", "b>c", "a>c"], Pairs(Plan(Silo("a", "h1"), Silo("b", "h1"), Silo("c"))));
    }

    [Fact]
    public void Servers_whose_silos_are_all_on_one_host_have_no_standbys_and_it_is_said_why()
    {
        SiloOffer[] silos = [Silo("node-1", "h1"), Silo("node-2", "h1")];
        ServerKeys servers = Plan(silos);

        Assert.All(servers.Standbys, Assert.Null);
        Assert.Equal(
            "partition 0, coordinator on silo 'node-1' can have no standby, as the only other server silo, 'node-2', is on the same host 'h1'",
            ServerRoles.WhyUnprotected(servers, ["node-1", "node-2"], ServerRoles.HostsOf(silos)));
    }

    [Fact]
    public void Servers_with_standbys_or_without_another_silo_need_no_reason()
    {
        SiloOffer[] silos = [Silo("a", "h1"), Silo("b", "h2")];
        Assert.Null(ServerRoles.WhyUnprotected(Plan(silos), ["a", "b"], ServerRoles.HostsOf(silos)));
        Assert.Null(ServerRoles.WhyUnprotected(Plan(silos[..1]), ["a"], ServerRoles.HostsOf(silos)));
    }

    [Fact]
    public void A_standby_that_is_there_stays()
    {
        ServerKeys servers = new(["a/job/0"], "a/job", "a/job", "a/job") { Standbys = [new Standby("c/job/0"), null, null] };
        SiloOffer[] silos = [Silo("a", "h1"), Silo("b", "h2"), Silo("c", "h2")];

        Assert.Equal(["a>c", "a>b", "a>b"], Pairs(ServerRoles.WithStandbys(servers, ["a", "b", "c"], ServerRoles.HostsOf(silos))));
    }

    private static SiloOffer Silo(string name, string? host = null) => new(name, 1, 1, Workers: true, Servers: true) { Host = host };

    private static ServerKeys Plan(params SiloOffer[] silos) =>
        JobPlacement.Plan("job", 6, new JobLayout(1, 0, 0), silos, new HashSet<string>()).Servers;

    /// <summary>By number of the server: its silo, and that of its standby.</summary>
    private static IEnumerable<string> Pairs(ServerKeys servers) => Enumerable.Range(0, servers.CoordinatorServer + 1)
        .Select(server => $"{PinnedKey.SiloOf(servers.KeyOf(server))}>{(servers.StandbyOf(server) is { } standby ? PinnedKey.SiloOf(standby.Key) : "-")}");
}
