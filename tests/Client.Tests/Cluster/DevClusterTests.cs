using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class DevClusterTests
{
    [Theory]
    [InlineData("dev://0.0.0.0:21111", "no address at which a silo can be reached")]
    [InlineData("dev://0:21111", "no address at which a silo can be reached")]
    [InlineData("dev://[::]:21111", "no address at which a silo can be reached")]
    [InlineData("dev://[::ffff:0.0.0.0]:21111", "no address at which a silo can be reached")]
    [InlineData("dev://255.255.255.255:21111", "no address at which a silo can be reached")]
    [InlineData("dev://239.1.2.3:21111", "no address at which a silo can be reached")]
    [InlineData("dev://[ff02::1]:21111", "no address at which a silo can be reached")]
    [InlineData("dev://me:secret@127.0.0.1:21111", "names a user")]
    [InlineData("redis://me:secret@127.0.0.1:6379", "'redis://***@127.0.0.1:6379' is no cluster URL")]
    [InlineData("redis://me:x/secret@y?z@host", "'redis://***@host' is no cluster URL")]
    [InlineData("me:secret@host", "'***@host' is no cluster URL")]
    [InlineData("dev://127.0.0.1:1?token=secret", "'token' in 'dev://127.0.0.1:1' is not understood")]
    [InlineData("dev://127.0.0.1:21111?gateway=0", "gateway=PORT with 1")]
    [InlineData("dev://127.0.0.1", "is no cluster URL")]
    public void A_url_that_names_no_cluster_is_bad_input_and_its_password_is_never_shown(string url, string reason)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => DevCluster.Parse(url));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain("secret", error.Message);
    }

    [Theory]
    [InlineData("dev://127.0.0.1:21111", 30000)]
    [InlineData("dev://127.0.0.1:21111?gateway=31000", 31000)]
    public void The_primary_has_the_gateway_of_the_url_if_it_is_told_no_other_one(string url, int gateway)
    {
        DevCluster cluster = DevCluster.Parse(url);

        Assert.Equal(gateway, cluster.Gateway);
        Assert.Equal(gateway, cluster.GatewayOf(port: 21111, told: null));
        Assert.Equal(gateway, cluster.GatewayOf(port: 21111, told: gateway));
    }

    [Fact]
    public void A_primary_whose_gateway_contradicts_the_url_is_refused()
    {
        DevCluster cluster = DevCluster.Parse("dev://127.0.0.1:21111?gateway=31000");

        ConvNetException error = Assert.Throws<ConvNetException>(() => cluster.GatewayOf(port: 21111, told: 32000));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("--gateway 32000 contradicts", error.Message);
        Assert.Contains("gateway 31000", error.Message);
    }

    [Fact]
    public void Other_silos_and_a_url_without_a_gateway_leave_the_choice_free()
    {
        Assert.Equal(32000, DevCluster.Parse("dev://127.0.0.1:21111?gateway=31000").GatewayOf(port: 21112, told: 32000));
        Assert.Equal(32000, DevCluster.Parse("dev://127.0.0.1:21111").GatewayOf(port: 21111, told: 32000));
        Assert.Equal(30000, DevCluster.Parse("dev://127.0.0.1:21111?gateway=31000").GatewayOf(port: 21112, told: null));
    }
}
