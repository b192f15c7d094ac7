using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A cluster as it is meant for several machines: membership in Redis with a password, and certificates on both sides of each connection.</summary>
public sealed class RedisTlsTests(RedisTlsFleet fleet) : IClassFixture<RedisTlsFleet>
{
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--steps", "20"];

    [Fact]
    public async Task Three_silos_give_the_bits_of_one_process_and_nobody_comes_in_without_a_certificate()
    {
        await fleet.HaveWorkersAsync("node-1", "node-2");

        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--workers", "1"]);
        JobEnd together = await JobEnd.TrainAsync(
            fleet.Folder, [.. Job, "--workers", "2", .. fleet.ClusterOptions, "--tls", RedisTlsFleet.Certificates]);
        int[] ports = FreePorts.Take(2);
        foreach (string[] command in new string[][]
        {
            ["job", "list"], ["train", .. Job, "--out", "refused"], ["silo", "--name", "late", "--port", $"{ports[0]}", "--gateway", $"{ports[1]}"],
        })
        {
            using ClientProcess refused = await ClientProcess.RunAsync(8, fleet.Folder, [.. command, .. fleet.ClusterOptions]);
            Assert.Contains("demands TLS; name the folder", refused.Error);
        }

        Assert.Equal(alone.StateSha256, together.StateSha256);
        Assert.Equal(2, together.Samples.Count(samples => samples > 0));
        fleet.AssertAllRun();
    }
}
