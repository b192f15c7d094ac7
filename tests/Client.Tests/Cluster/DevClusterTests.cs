using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class DevClusterTests
{
    [Theory]
    [InlineData("dev://127.0.0.1:21111", 30000)]
    [InlineData("dev://127.0.0.1:21111?gateway=31000", 31000)]
    public void The_primary_has_the_gateway_of_the_url_if_it_is_told_no_other_one(string url, int gateway)
    {
        DevCluster cluster = Assert.IsType<DevCluster>(SiloCluster.Parse(url));

        Assert.Equal(gateway, cluster.Gateway);
        Assert.Equal(gateway, GatewayOf(url, port: 21111, told: null));
        Assert.Equal(gateway, GatewayOf(url, port: 21111, told: gateway));
    }

    [Fact]
    public void A_primary_whose_gateway_contradicts_the_url_is_refused()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => GatewayOf("dev://127.0.0.1:21111?gateway=31000", port: 21111, told: 32000));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("--gateway 32000 contradicts", error.Message);
        Assert.Contains("gateway 31000", error.Message);
    }

    [Fact]
    public void Other_silos_and_a_url_without_a_gateway_leave_the_choice_free()
    {
        Assert.Equal(32000, GatewayOf("dev://127.0.0.1:21111?gateway=31000", port: 21112, told: 32000));
        Assert.Equal(32000, GatewayOf("dev://127.0.0.1:21111", port: 21111, told: 32000));
        Assert.Equal(30000, GatewayOf("dev://127.0.0.1:21111?gateway=31000", port: 21112, told: null));
    }

    [Theory]
    [InlineData("127.0.0.1", null)]
    [InlineData(null, "127.0.0.1")]
    public void A_silo_has_the_address_of_the_url_and_is_told_no_other(string? listen, string? advertise)
    {
        SiloCluster cluster = SiloCluster.Parse("dev://127.0.0.1:21111");

        ConvNetException error = Assert.Throws<ConvNetException>(() => cluster.PortsOf(listen, advertise, 21111, null, isInsecure: false));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("--listen and --advertise are for redis:// clusters", error.Message);
    }

    private static int GatewayOf(string url, int port, int? told) => SiloCluster.Parse(url).PortsOf(null, null, port, told, isInsecure: false).Clients;
}
