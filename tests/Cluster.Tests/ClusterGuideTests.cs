using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>The page about clusters over several machines: what it says to do leads to what it says.</summary>
public sealed class ClusterGuideTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_commands_lead_from_three_bare_machines_to_a_trained_model(bool tls)
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        Assert.SkipUnless(Machines.AreAvailable, "only root may make network namespaces");
        using var cluster = new GuidedCluster();
        await cluster.CertifyAsync(redisToo: tls);
        await cluster.StartRedisAsync(tls);
        for (int silo = 1; silo <= 3; silo++)
        {
            await cluster.StartSiloAsync(silo, Url);
        }

        JobEnd together = await cluster.TrainAsync(Url(Assert.Single(ClusterGuide.On("client"))));
        JobEnd alone = await cluster.TrainAsync(ClusterGuide.Alone);

        Assert.Equal(alone.StateSha256, together.StateSha256);
        Assert.Equal(3, together.Samples.Count(samples => samples > 0));
        cluster.AssertAllRun();

        string Url(string line) => tls ? line.Replace("redis://", "rediss://") : line;
    }
}
