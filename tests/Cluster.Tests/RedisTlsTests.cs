using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// A cluster as it is meant for several machines: membership in a Redis with a password, and certificates on both sides of each connection, those to
/// Redis included.
/// </summary>
public sealed class RedisTlsTests(RedisTlsFleet fleet) : IClassFixture<RedisTlsFleet>
{
    /// <summary>Of this job in every layout.</summary>
    private const string StateSha256 = "7062373556dfdd257f1a1fc89a5d14df3468bc6cd951805e7e6c2b10f7a72424";
    private static readonly string[] Job = ["--model", "lenet", "--batch", "100", "--steps", "40"];
    private static readonly string[] Ours = ["--tls", RedisTlsFleet.Certificates];

    [Fact]
    public async Task Silos_that_reach_redis_over_tls_give_the_bits_of_one_process()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2");

        JobEnd together = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "2", .. fleet.ClusterOptions, .. Ours]);

        Assert.StartsWith("rediss://", fleet.Url);
        Assert.Equal(StateSha256, together.StateSha256);
        Assert.Equal(2, together.Samples.Count(samples => samples > 0));
        fleet.AssertAllRun();
    }

    [Theory]
    [InlineData("list")]
    [InlineData("train")]
    [InlineData("silo")]
    public async Task Whoever_does_not_trust_redis_or_is_not_trusted_ends_with_a_sentence(string kind)
    {
        int[] ports = FreePorts.Take(2);
        string[] command = kind switch
        {
            "list" => ["job", "list"],
            "train" => ["train", .. Job, "--out", "refused"],
            _ => ["silo", "--name", "late", "--port", $"{ports[0]}", "--gateway", $"{ports[1]}"],
        };
        string plain = fleet.Url.Replace("rediss://", "redis://"), named = fleet.Url.Replace("127.0.0.1", "localhost");
        string other = Path.Combine(RedisTlsFleet.Other, "ca.pem"), ours = Path.Combine(RedisTlsFleet.Certificates, "ca.pem");

        await RefusedAsync(8, "'lab-redis' is not of the CA in 'other/ca.pem'", fleet.Url, [.. Ours, "--redis-ca", other]);
        await RefusedAsync(8, "'lab-redis' is not of the CA in 'other/ca.pem'", fleet.Url, "--tls", RedisTlsFleet.Other);
        await RefusedAsync(8, "'lab-redis' is for lab-redis, 127.0.0.1, not for localhost", named, Ours);
        await RefusedAsync(4, "if it demands one of its clients (tls-auth-clients)", fleet.Url, "--redis-ca", ours);
        await RefusedAsync(4, "check that it runs there without TLS", plain, Ours);
        fleet.AssertAllRun();

        async Task RefusedAsync(int exitCode, string reason, string url, params string[] security)
        {
            using ClientProcess process = await ClientProcess.RunAsync(
                exitCode, fleet.Folder, [.. command, "--cluster", url, "--redis-password-file", fleet.Redis.PasswordFile, .. security]);
            Assert.Contains(reason, process.Error);
            Assert.DoesNotContain("   at ", process.Error);
        }
    }
}
