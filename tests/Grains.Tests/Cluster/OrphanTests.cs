using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>What becomes of jobs that have lost their client.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class OrphanTests
{
    [Fact]
    public async Task A_new_client_takes_an_orphaned_job_up_and_the_old_one_learns_that_it_is_not_its_any_more()
    {
        var silo = new OrphaningSilo(TimeSpan.FromMinutes(1));
        await silo.InitializeAsync();
        await using (silo)
        {
            JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 50_000);
            (IJobGrain grain, JobStatus orphaned) = await OrphanedAsync(silo, job, "taken");
            var request = new JobTakeUp("new", orphaned.RunFolder, new string('0', 32));
            TakenUpJob taken = await grain.TakeUpAsync(request);
            TakenUpJob again = await grain.TakeUpAsync(request);
            ConvNetException late = await Assert.ThrowsAsync<ConvNetException>(() => grain.TakeUpAsync(request with { Client = "late" }));
            JobStatus old = await grain.StatusAsync(new StatusQuery(Client: "old"));
            ConvNetException stale = await Assert.ThrowsAsync<ConvNetException>(() => grain.OrderAsync(JobOrder.Of(JobOrderKind.Abandon, client: "old")));
            JobStatus running = await TestJobs.UntilAsync(
                grain, status => status.Step > orphaned.Step, new StatusQuery(SinceStep: orphaned.Step, SinceEvent: 0, Client: "new"));
            await grain.OrderAsync(JobOrder.Of(JobOrderKind.Stop, client: "new"));
            JobStatus end = await TestJobs.EndAsync(grain);
            (CheckpointResult whole, _) = await TestJobs.RunAsync(silo.Grains, job, workers: 4, until: end.Step);

            Assert.Equal(("new", taken.FirstEvent), (taken.Submission.Client, again.FirstEvent));
            Assert.Equal((ExitCode.Conflict, ExitCode.Conflict), (late.ExitCode, stale.ExitCode));
            Assert.Equal((true, false), (old.IsLeaseLost, running.IsLeaseLost));
            Assert.Equal(orphaned.Step, running.Rows[0].Step);
            Assert.Equal((JobState.Stopped, whole.StateSha256), (end.State, end.Checkpoint!.StateSha256));
        }
    }

    [Fact]
    public async Task A_job_that_nobody_takes_up_ends_and_names_its_checkpoint()
    {
        var silo = new OrphaningSilo(TimeSpan.FromSeconds(1));
        await silo.InitializeAsync();
        await using (silo)
        {
            (IJobGrain grain, JobStatus orphaned) = await OrphanedAsync(silo, TestJobs.Job("lenet", batch: 20, steps: 50_000), "given-up");
            JobStatus end = await TestJobs.EndAsync(grain);
            ConvNetException late = await Assert.ThrowsAsync<ConvNetException>(
                () => grain.TakeUpAsync(new JobTakeUp("new", orphaned.RunFolder, new string('0', 32))));

            Assert.Equal(JobState.Stopped, end.State);
            Assert.EndsWith($"nobody has taken it up for 0.02 minutes; step {end.Step} is saved in {end.Checkpoint!.Path}.", end.Reason);
            Assert.Contains("is not orphaned: it is stopped", late.Message);
        }
    }

    private static async Task<(IJobGrain Job, JobStatus Orphaned)> OrphanedAsync(OrphaningSilo silo, JobSpec job, string id)
    {
        IJobGrain grain = silo.Grains.GetGrain<IJobGrain>(id);
        await grain.SubmitAsync(TestJobs.Submission(job, Directory.CreateTempSubdirectory("convnet-test-").FullName, workers: 4) with { Client = "old" });
        await TestJobs.UntilAsync(grain, status => status.Step > 0, new StatusQuery(Client: "old"));
        return (grain, await TestJobs.UntilAsync(grain, status => status.State == JobState.Orphaned));
    }

    /// <summary>A silo whose jobs have leases of 2 seconds only.</summary>
    private sealed class OrphaningSilo(TimeSpan orphan) : ClusterFixture(1, new JobDeadlines { Lease = TimeSpan.FromSeconds(2), Orphan = orphan });
}
