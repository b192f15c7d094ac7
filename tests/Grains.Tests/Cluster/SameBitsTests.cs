using ConvNet.Grains.Contracts;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>The promise: the final state depends on the job alone, not on how it is spread.</summary>
public sealed class SameBitsTests(OneSilo one, TwoSilos two) : IClassFixture<OneSilo>, IClassFixture<TwoSilos>
{
    private static readonly int[] WorkerCounts = [1, 2, 3, 4];

    [Theory]
    [InlineData("lenet", 100)]
    [InlineData("lenet", 7)]
    [InlineData("lenet", 3)]
    public async Task Every_layout_ends_in_the_same_state(string model, int batch)
    {
        JobSpec job = TestJobs.Job(model, batch, steps: 10);
        var hashes = new List<string>();
        foreach (ClusterFixture cluster in new ClusterFixture[] { one, two })
        {
            foreach (int workers in WorkerCounts)
            {
                foreach (int threads in new[] { 1, 2 })
                {
                    hashes.Add(await TestJobs.HashAsync(cluster.Grains, job, workers, threads));
                }
            }
        }

        Assert.Equal(16, hashes.Count);
        Assert.Single(hashes.Distinct());
    }
}
