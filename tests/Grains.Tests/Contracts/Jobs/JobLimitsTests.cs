using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Tests.Cluster;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts.Jobs;

public sealed class JobLimitsTests
{
    [Theory]
    [InlineData(1, 4)]
    [InlineData(4, 4)]
    public void Each_worker_has_a_shard(int workers, int shards) => JobLimits.CheckWorkers(workers, shards);

    [Theory]
    [InlineData(0, 4)]
    [InlineData(5, 4)]
    public void Other_numbers_of_workers_are_refused_with_the_remedy(int workers, int shards)
    {
        ConvNetException refusal = Assert.Throws<ConvNetException>(() => JobLimits.CheckWorkers(workers, shards));

        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.StartsWith($"{workers} workers cannot share {shards} data shards", refusal.Message);
        Assert.Contains("--data-shards", refusal.Message);
    }

    [Theory]
    [InlineData(JobLimits.MaxBatch + 1, 4)]
    [InlineData(0, 4)]
    [InlineData(20, JobLimits.MaxDataShards + 1)]
    public void A_description_past_the_limits_is_refused(int batch, int shards)
    {
        string json = (TestJobs.Job("lenet", batch: 20, steps: 2) with { Batch = batch, DataShards = shards }).ToJson();

        Assert.Equal(ExitCode.BadInput, Assert.Throws<ConvNetException>(() => JobSpec.FromJson(json)).ExitCode);
    }
}
