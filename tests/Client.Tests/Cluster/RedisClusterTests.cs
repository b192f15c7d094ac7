using System.Net;
using System.Net.Sockets;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class RedisClusterTests
{
    /// <summary>An address of another machine; nothing connects to it.</summary>
    private const string Elsewhere = "redis://192.0.2.1:6379?id=lab";
    private const string Here = "redis://127.0.0.1:6379?id=lab";

    [Fact]
    public void A_silo_listens_on_loopback_and_is_advertised_where_it_listens_unless_it_is_told_otherwise()
    {
        SiloCluster cluster = SiloCluster.Parse(Here);

        Assert.Equal(new SiloPorts(IPAddress.Loopback, IPAddress.Loopback, 11111, 30000), cluster.PortsOf(null, null, 11111, null, isInsecure: false));
        Assert.Equal(
            new SiloPorts(IPAddress.Parse("10.0.0.5"), IPAddress.Parse("10.0.0.5"), 11112, 30001),
            cluster.PortsOf("10.0.0.5", null, 11112, 30001, isInsecure: true));
        Assert.Equal(
            new SiloPorts(IPAddress.Any, IPAddress.Parse("10.0.0.5"), 11112, 30001),
            cluster.PortsOf("0.0.0.0", "10.0.0.5", 11112, 30001, isInsecure: true));
    }

    [Theory]
    [InlineData(ExitCode.BadInput, "on another one", Elsewhere, null, null, false)]
    [InlineData(ExitCode.BadInput, "on another one", Elsewhere, "0.0.0.0", "127.0.0.1", true)]
    [InlineData(ExitCode.BadInput, "--advertise ADDRESS", Here, "0.0.0.0", null, true)]
    [InlineData(ExitCode.BadInput, "no address at which a silo can be reached", Here, "10.0.0.5", "0.0.0.0", true)]
    [InlineData(ExitCode.NotAuthorised, "--insecure", Elsewhere, "10.0.0.5", null, false)]
    public void Addresses_where_nobody_finds_the_silo_or_everybody_gets_in_are_refused(
        ExitCode code, string reason, string url, string? listen, string? advertise, bool isInsecure)
    {
        SiloCluster cluster = SiloCluster.Parse(url);

        ConvNetException error = Assert.Throws<ConvNetException>(() => cluster.PortsOf(listen, advertise, 11111, null, isInsecure));

        Assert.Equal(code, error.ExitCode);
        Assert.Contains(reason, error.Message);
    }

    [Theory]
    [InlineData("", "0 bytes")]
    [InlineData("\n", "in one line")]
    [InlineData("secret\nsecret", "in one line")]
    public void A_file_that_holds_no_password_is_bad_input_and_its_content_is_not_shown(string content, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["password"], content);

        ConvNetException error = Assert.Throws<ConvNetException>(() => SiloCluster.Parse(Here, folder["password"]));
        ConvNetException missing = Assert.Throws<ConvNetException>(() => SiloCluster.Parse(Here, folder["missing"]));

        Assert.Equal((ExitCode.BadInput, ExitCode.BadInput), (error.ExitCode, missing.ExitCode));
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain("secret", error.Message);
        Assert.Contains("does not exist", missing.Message);
    }

    [Fact]
    public void The_password_is_in_nothing_that_is_printed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["password"], "secret\n");
        SiloCluster cluster = SiloCluster.Parse(Here, folder["password"]);

        Assert.Equal($"--cluster \"{Here}\" --redis-password-file {folder["password"]}", cluster.Arguments);
        Assert.All(
            [cluster.Url, cluster.Arguments, cluster.Entrance, cluster.JoinAdvice, cluster.Reception, $"{cluster}"],
            text => Assert.DoesNotContain("secret", text));
    }

    [Fact]
    public async Task A_redis_that_refuses_or_never_answers_is_named_within_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        int port = ((IPEndPoint)silent.LocalEndpoint).Port;
        foreach (string scheme in new[] { "redis", "rediss" })
        {
            await AssertNotReachedAsync($"{scheme}://127.0.0.1:{port}?id=lab", port);
        }

        silent.Stop();
        await AssertNotReachedAsync($"redis://127.0.0.1:{port}?id=lab", port);
    }

    private static async Task AssertNotReachedAsync(string url, int port)
    {
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(
            () => SiloCluster.Parse(url).CheckAsync(_ => { }, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60)));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.Contains($"Redis at 127.0.0.1:{port} cannot be reached", error.Message);
    }
}
