using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class SiloClusterTests
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
    [InlineData("dev://127.0.0.1:21111?gateway=0", "gateway=PORT with 1")]
    [InlineData("dev://127.0.0.1", "is no cluster URL")]
    [InlineData("dev://127.0.0.1:21111/a", "is no cluster URL")]
    [InlineData("redis://127.0.0.1?id=a", "is no cluster URL")]
    [InlineData("http://127.0.0.1:6379?id=a", "is no cluster URL")]
    [InlineData("dev://127.0.0.1:1?token=secret", "'token' in 'dev://127.0.0.1:1' is not understood")]
    [InlineData("me:secret@host", "'***@host' is no cluster URL")]
    [InlineData("redis://me:secret@127.0.0.1:6379?id=a", "'redis://***@127.0.0.1:6379' names a user")]
    [InlineData("redis://me:x/secret@y?z@host", "'redis://***@host' is no cluster URL")]
    [InlineData("redis://:secret/secret@127.0.0.1:6379?id=a", "is no cluster URL")]
    [InlineData("redis://127.0.0.1:6379", "add ?id=NAME")]
    [InlineData("redis://127.0.0.1:6379?id=", "must be 1 to 63 letters")]
    [InlineData("redis://127.0.0.1:6379?id=a%2Fb", "must be 1 to 63 letters")]
    [InlineData("redis://127.0.0.1:6379?id=a&id=b", "the only parameter is id=NAME")]
    [InlineData("redis://127.0.0.1:6379?id=a&password=secret", "'password' in 'redis://127.0.0.1:6379' is not understood")]
    [InlineData("redis://0.0.0.0:6379?id=a", "no address at which")]
    public void A_url_that_names_no_cluster_is_bad_input_and_its_password_is_never_shown(string url, string reason)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => SiloCluster.Parse(url));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public void An_id_has_at_most_63_characters()
    {
        Assert.IsType<RedisCluster>(SiloCluster.Parse($"redis://127.0.0.1:6379?id={new string('a', 63)}"));
        Assert.Throws<ConvNetException>(() => SiloCluster.Parse($"redis://127.0.0.1:6379?id={new string('a', 64)}"));
    }

    [Fact]
    public void A_dev_cluster_takes_no_password_of_redis()
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => SiloCluster.Parse("dev://127.0.0.1:21111", "password"));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("--redis-password-file is for redis:// clusters", error.Message);
    }

    [Theory]
    [InlineData("dev://127.0.0.1:21111", "--redis-ca is for redis:// clusters")]
    [InlineData("redis://127.0.0.1:6379?id=a", "write rediss:// there")]
    [InlineData("rediss://127.0.0.1:6379?id=a", "'none.pem' does not exist")]
    public void A_CA_of_redis_goes_with_rediss_alone_and_must_be_there(string url, string reason)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => SiloCluster.Parse(url, redisCa: "none.pem"));

        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains(reason, error.Message);
    }
}
