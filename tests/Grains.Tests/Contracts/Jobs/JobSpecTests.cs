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

    [Fact]
    public void A_job_without_later_settings_is_the_same_job()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 2);
        string older = job.ToJson();
        Assert.DoesNotContain("classNames", older);
        Assert.DoesNotContain("channels", older);
        Assert.DoesNotContain("testShare", older);
        Assert.True(JobSpec.FromJson(older).IsSameJob(JobSpec.FromJson(older.Replace("\"seed\"", "\"classNames\": null, \"seed\"", StringComparison.Ordinal))));
        Assert.False(JobSpec.FromJson(older).IsSameJob(JobSpec.FromJson((job with { Seed = 77 }).ToJson())));
        string named = (job with { ClassNames = ["ant", "bee"] }).ToJson();
        Assert.Equal(["ant", "bee"], JobSpec.FromJson(named).ClassNames!);
        Assert.False(JobSpec.FromJson(older).IsSameJob(JobSpec.FromJson(named)));
    }

    [Theory]
    [InlineData("\"mean\":[", "\"mean\":[null,", "adapter.mean")]
    [InlineData("\"mean\":[", "\"mean\":[1,2,", "means and 1 standard deviations")]
    [InlineData("\"std\":[", "\"std\":null,\"x\":[", "adapter.")]
    [InlineData("\"batch\":20", "\"batch\":20,\"batch\":20", "the key \"batch\" is given twice")]
    [InlineData("\"batch\":20", "\"batch\":\"20\"", "batch: a value is missing or not of the kind that belongs there")]
    [InlineData("\"type\":\"sgd\"", "\"type\":\"none\"", "optimizer")]
    [InlineData("\"type\":\"sgd\",", "", "a value is missing or not of the kind")]
    [InlineData("\"nameOrPath\":\"", "\"nameOrPath\":\"\\u0000", "data.nameOrPath: a text holds a NUL")]
    [InlineData("\"image\":{\"c\":1,\"h\":28,\"w\":28", "\"image\":{\"c\":1,\"h\":28,\"w\":32768", "don't fit a model")]
    [InlineData("\"image\":{\"c\":1,\"h\":28,\"w\":28", "\"image\":{\"c\":1,\"h\":28,\"w\":0", "images of 1x28x0")]
    public void A_changed_job_is_refused_in_plain_words(string from, string to, string message)
    {
        string json = TestJobs.Job("lenet", batch: 20, steps: 2).ToJson();
        Assert.Contains(from, json, StringComparison.OrdinalIgnoreCase);
        ConvNetException refusal = Assert.Throws<ConvNetException>(
            () => JobSpec.FromJson(json.Replace(from, to, StringComparison.OrdinalIgnoreCase)));
        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.Contains(message, refusal.Message);
        Assert.DoesNotContain("System.", refusal.Message);
    }

    [Fact]
    public void A_job_is_the_same_wherever_its_data_lies_and_however_its_text_is_written()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 2);
        JobSpec moved = job with { Data = job.Data with { NameOrPath = "/elsewhere" } };

        Assert.True(job.IsSameJob(JobSpec.FromJson(moved.ToJson().Replace(",", ", ", StringComparison.Ordinal))));
        Assert.False(job.IsSameJob(job with { Seed = 2 }));
        Assert.False(job.IsSameJob(job with { DropLast = true }));
        Assert.False(job.IsSameJob(job with { Data = job.Data with { Sha256 = new string('0', 64) } }));
    }

    [Fact]
    public void Dropping_the_last_batch_is_part_of_a_job_and_written_only_where_it_is_chosen()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 70, steps: 2);

        Assert.DoesNotContain("dropLast", job.ToJson());
        Assert.True(JobSpec.FromJson((job with { DropLast = true }).ToJson()).DropLast);
        Assert.Equal((172, 171), (job.StepsPerEpoch, (job with { DropLast = true }).StepsPerEpoch));
        ConvNetException none = Assert.Throws<ConvNetException>(() => JobSpec.FromJson((job with { DropLast = true, TrainSamples = 69 }).ToJson()));
        Assert.Contains("at least one batch of 70", none.Message);
    }

    [Fact]
    public void The_policy_for_values_that_are_not_finite_is_part_of_a_job_and_written_only_where_it_is_chosen()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 70, steps: 2);

        Assert.DoesNotContain("nonFinite", job.ToJson());
        Assert.Equal(NonFinitePolicy.Stop, JobSpec.FromJson((job with { NonFinite = NonFinitePolicy.Stop }).ToJson()).NonFinite);
        Assert.False(job.IsSameJob(job with { NonFinite = NonFinitePolicy.Stop }));
    }

    private static string WithVersion(int version) => (TestJobs.Job("lenet", batch: 20, steps: 2) with { NumericsVersion = version }).ToJson();
}
