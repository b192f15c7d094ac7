using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Tests.Cluster;
using Xunit;

namespace ConvNet.Grains.Tests.Contracts.Jobs;

public sealed class JobSpecTests
{
    [Fact]
    public void A_job_of_an_older_numerics_version_is_evaluated_but_not_trained_on()
    {
        string older = WithVersion(JobSpec.CurrentNumericsVersion - 1);

        ConvNetException refusal = Assert.Throws<ConvNetException>(() => JobSpec.FromJson(older));

        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.Contains($"numerics version {JobSpec.CurrentNumericsVersion - 1}", refusal.Message);
        Assert.Equal(20, JobSpec.FromJson(older, toEvaluate: true).Batch);
    }

    [Fact]
    public void A_job_of_a_newer_numerics_version_is_refused() =>
        Assert.Throws<ConvNetException>(() => JobSpec.FromJson(WithVersion(JobSpec.CurrentNumericsVersion + 1), toEvaluate: true));

    private static string WithVersion(int version) => (TestJobs.Job("lenet", batch: 20, steps: 2) with { NumericsVersion = version }).ToJson();
}
