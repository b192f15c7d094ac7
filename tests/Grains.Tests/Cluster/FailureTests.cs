using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>What a job says and leaves behind when it cannot go on, or cannot begin.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class FailureTests(TwoSilos cluster)
{
    [Fact]
    public async Task Two_jobs_at_once_use_different_workers_and_end_in_their_own_states()
    {
        JobSpec first = TestJobs.Job("lenet", batch: 20, steps: 30);
        JobSpec second = first with { Seed = 2 };
        string[] alone = [await TestJobs.HashAsync(cluster.Grains, first, 1), await TestJobs.HashAsync(cluster.Grains, second, 1)];

        string[] together = await Task.WhenAll(TestJobs.HashAsync(cluster.Grains, first, 2), TestJobs.HashAsync(cluster.Grains, second, 3));

        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task A_failed_job_frees_its_workers_for_the_next_one()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5000);
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("fails");
        await grain.SubmitAsync(job.ToJson(), new JobLayout(4, 1, 2), null);
        await grain.RunAsync(5000);

        // The partition forgets everything, as after a restart of its silo.
        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(PinnedKey.Partition(cluster.SiloNames[0], "fails", 0));
        await partition.ReleaseAsync(new MessageHeader("fails", 1, 0));
        JobFailure failure = await FailureOfAsync(grain);

        Assert.Equal((int)ExitCode.Environment, failure.ExitCode);
        Assert.Contains("its silo has restarted", failure.Message);
        Assert.DoesNotContain("   at ", failure.Message);
        await TestJobs.HashAsync(cluster.Grains, TestJobs.Job("lenet", batch: 20, steps: 3), workers: 4);
    }

    [Fact]
    public async Task An_error_keeps_its_exit_code_whichever_silo_it_comes_from()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5);
        JobSpec other = job with { Data = job.Data with { Sha256 = new string('0', 64) } };
        for (int i = 0; i < 6; i++)
        {
            IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>($"other-data-{i}");
            ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => grain.SubmitAsync(other.ToJson(), new JobLayout(4, 1, 0), null));
            Assert.Equal(ExitCode.BadInput, error.ExitCode);
            Assert.Contains("SHA-256", error.Message);
            Assert.Contains(cluster.SiloNames, name => error.Message.StartsWith($"silo '{name}' on ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task More_workers_than_free_devices_is_an_error_that_counts_them()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5) with { DataShards = 16 };
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() =>
            cluster.Grains.GetGrain<IJobGrain>("too-many").SubmitAsync(job.ToJson(), new JobLayout(9, 1, 0), null));
        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.Contains("9 workers", error.Message);
        Assert.Contains("8 free devices", error.Message);
    }

    [Fact]
    public async Task Orders_that_make_no_sense_are_refused_with_what_the_job_is_doing()
    {
        IJobGrain unknown = cluster.Grains.GetGrain<IJobGrain>("nobody");
        Assert.Contains("no job 'nobody'", (await Assert.ThrowsAsync<ConvNetException>(unknown.StatusAsync)).Message);

        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("sensible");
        await grain.SubmitAsync(TestJobs.Job("lenet", batch: 20, steps: 5).ToJson(), new JobLayout(1, 1, 0), null);
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => grain.RunAsync(6));
        Assert.Equal(ExitCode.BadInput, error.ExitCode);
        Assert.Contains("step 0 of 5", error.Message);
        await grain.EndAsync(JobState.Cancelled);
    }

    [Fact]
    public async Task A_job_whose_client_is_gone_ends_and_frees_its_workers()
    {
        var impatient = new ImpatientSilo();
        await impatient.InitializeAsync();
        await using (impatient)
        {
            JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5);
            IJobGrain left = impatient.Grains.GetGrain<IJobGrain>("left");
            await left.SubmitAsync(job.ToJson(), new JobLayout(4, 1, 0), null);

            JobFailure failure = await FailureOfAsync(left);

            Assert.Equal((int)ExitCode.Environment, failure.ExitCode);
            Assert.Contains("no order from the job's client", failure.Message);
            await TestJobs.HashAsync(impatient.Grains, job, workers: 4);
        }
    }

    [Fact]
    public async Task A_job_whose_client_is_gone_saves_what_it_has_computed_and_another_run_goes_on_to_the_same_bits()
    {
        var impatient = new ImpatientSilo();
        await impatient.InitializeAsync();
        await using (impatient)
        {
            using var folder = new TemporaryFolder();
            JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5);
            IJobGrain left = impatient.Grains.GetGrain<IJobGrain>("left-in-the-middle");
            await left.SubmitAsync(job.ToJson(), new JobLayout(4, 1, 0), null, folder.Path);
            await left.RunAsync(3);

            JobFailure failure = await FailureOfAsync(left);

            string saved = Path.Combine(folder["checkpoints"], "step-00000003");
            Assert.Contains($"step 3 is saved in {saved}", failure.Message);
            string whole = await TestJobs.HashAsync(impatient.Grains, job, workers: 1);
            Assert.Equal(whole, (await TestJobs.RunAsync(impatient.Grains, job, workers: 2, from: saved)).Checkpoint.StateSha256);
        }
    }

    [Fact]
    public async Task A_job_that_has_nothing_new_saves_nothing_when_its_client_is_gone()
    {
        var impatient = new ImpatientSilo();
        await impatient.InitializeAsync();
        await using (impatient)
        {
            using var folder = new TemporaryFolder();
            IJobGrain left = impatient.Grains.GetGrain<IJobGrain>("left-at-once");
            await left.SubmitAsync(TestJobs.Job("lenet", batch: 20, steps: 5).ToJson(), new JobLayout(1, 1, 0), null, folder.Path);

            Assert.DoesNotContain("saved", (await FailureOfAsync(left)).Message);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }
    }

    private static async Task<JobFailure> FailureOfAsync(IJobGrain job)
    {
        long end = Environment.TickCount64 + 60_000;
        while (true)
        {
            if ((await job.StatusAsync()).Failure is { } failure)
            {
                return failure;
            }

            Assert.True(Environment.TickCount64 < end, "the job has not failed");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
