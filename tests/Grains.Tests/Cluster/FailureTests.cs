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
    public async Task A_job_whose_server_has_forgotten_everything_goes_back_to_where_it_began_and_ends_in_the_same_bits()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 400);
        (IJobGrain grain, _) = await TrainWithoutStandbysAsync("forgets", job);

        // As after a restart of its silo.
        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(PinnedKey.Partition(cluster.SiloNames[0], "forgets", 0));
        await partition.ReleaseAsync(new MessageHeader("forgets", 1, 0));
        JobStatus end = await TestJobs.EndAsync(grain);

        RunEvent.Yielded back = Assert.Single(end.Events.Select(happened => happened.Event).OfType<RunEvent.Yielded>());
        Assert.Contains("its silo has restarted; the job goes back to where it began", back.Reason);
        Assert.Equal(await TestJobs.HashAsync(cluster.Grains, job, workers: 1), end.Checkpoint!.StateSha256);
    }

    [Fact]
    public async Task A_job_one_of_whose_servers_contradicts_a_decided_step_goes_back_and_ends_in_the_same_bits()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 400);
        (IJobGrain grain, JobStatus running) = await TrainWithoutStandbysAsync("contradicts", job);

        await cluster.Grains.GetGrain<IJobControlGrain>("contradicts").FailedAsync(
            new MessageHeader("contradicts", running.Generation, running.Step),
            "partition 0",
            new JobFailure((int)ExitCode.TrainingFailed, "partition 0 has summed a step again with other values.", IsContradiction: true));
        JobStatus end = await TestJobs.EndAsync(grain);

        RunEvent.Yielded back = Assert.Single(end.Events.Select(happened => happened.Event).OfType<RunEvent.Yielded>());
        Assert.Contains("with other values; the job goes back to where it began", back.Reason);
        Assert.Equal(await TestJobs.HashAsync(cluster.Grains, job, workers: 1), end.Checkpoint!.StateSha256);
    }

    [Fact]
    public async Task A_server_that_has_forgotten_everything_is_replaced_by_its_standby()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 400);
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("remembers");
        await grain.SubmitAsync(Submission(job, workers: 4));
        await TestJobs.UntilAsync(grain, status => status.Step > 10);

        IParameterServerGrain partition = cluster.Grains.GetGrain<IParameterServerGrain>(PinnedKey.Partition(cluster.SiloNames[0], "remembers", 0));
        await partition.ReleaseAsync(new MessageHeader("remembers", 1, 0));
        JobStatus end = await TestJobs.EndAsync(grain);

        RunEvent[] events = [.. end.Events.Select(happened => happened.Event)];
        Assert.Empty(events.OfType<RunEvent.Yielded>());
        Assert.Contains(events.OfType<RunEvent.Warning>(), warning => warning.Message.Contains("holds no state of the job any more", StringComparison.Ordinal));
        Assert.Equal(await TestJobs.HashAsync(cluster.Grains, job, workers: 1), end.Checkpoint!.StateSha256);
    }

    [Theory]
    [InlineData(257, 1, "layout.partitions must be from 1 to 256; got 257.")]
    [InlineData(1, 2_000_000_000, "layout.threads must be from 1 to 1024; got 2000000000.")]
    public async Task A_layout_that_nobody_can_have_is_refused_before_it_takes_memory(int partitions, int threads, string problem)
    {
        JobSubmission submission = Submission(TestJobs.Job("lenet", batch: 20, steps: 5), workers: 1);
        ConvNetException refused = await Assert.ThrowsAsync<ConvNetException>(() => cluster.Grains.GetGrain<IJobGrain>("impossible")
            .SubmitAsync(submission with { Layout = submission.Layout with { Partitions = partitions, Threads = threads } }));
        Assert.Equal((ExitCode.BadInput, problem), (refused.ExitCode, refused.Message));
    }

    [Fact]
    public async Task An_error_keeps_its_exit_code_whichever_silo_it_comes_from()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 5);
        JobSpec other = job with { Data = job.Data with { Sha256 = new string('0', 64) } };
        for (int i = 0; i < 6; i++)
        {
            IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>($"other-data-{i}");
            await grain.SubmitAsync(Submission(other, workers: 4));
            JobFailure failure = await TestJobs.FailureAsync(grain);
            Assert.Equal((int)ExitCode.BadInput, failure.ExitCode);
            Assert.Contains("SHA-256", failure.Message);
            Assert.Contains(cluster.SiloNames, name => failure.Message.StartsWith($"silo '{name}' on ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Beyond_all_devices_an_attached_job_fails_with_what_there_is_and_a_detached_one_waits_for_more()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 200_000) with { DataShards = 16 };
        IJobGrain first = cluster.Grains.GetGrain<IJobGrain>("takes-six");
        IJobGrain attached = cluster.Grains.GetGrain<IJobGrain>("too-large");
        IJobGrain queued = cluster.Grains.GetGrain<IJobGrain>("waits-for-room");
        IJobGrain given = cluster.Grains.GetGrain<IJobGrain>("waits-in-vain");
        await first.SubmitAsync(Submission(job, workers: 6));
        await TestJobs.UntilAsync(first, status => status.Step > 0);
        await queued.SubmitAsync(Submission(job with { TotalSteps = 3 }, workers: 7));
        await given.SubmitAsync(Submission(job, workers: 9));
        await attached.SubmitAsync(Submission(job, workers: 9) with { Client = "here" });

        JobFailure failure = await TestJobs.FailureAsync(attached, "here");
        Assert.Equal((int)ExitCode.Environment, failure.ExitCode);
        Assert.Contains("9 workers, but the cluster has 8 devices in all (silos: ", failure.Message);
        JobStatus waiting = await TestJobs.UntilAsync(queued, status => status.Reason is not null);
        Assert.Equal(JobState.Queued, waiting.State);
        Assert.Contains("7 workers, but the cluster has 2 free devices (6 serve other jobs", waiting.Reason);
        Assert.Equal(1, waiting.QueuePosition);
        Assert.Null((await given.StatusAsync(new StatusQuery())).QueuePosition);
        await given.OrderAsync(JobOrder.Of(JobOrderKind.Cancel));
        Assert.Equal(JobState.Cancelled, (await TestJobs.EndAsync(given)).State);

        await first.OrderAsync(JobOrder.Of(JobOrderKind.Stop));
        JobStatus end = await TestJobs.EndAsync(queued);
        Assert.Equal((JobState.Stopped, 3L), (end.State, end.Step));
        Assert.Null(end.Reason);
    }

    [Fact]
    public async Task What_cannot_be_a_job_is_refused_at_once_and_an_unknown_job_is_said_to_be_unknown()
    {
        IJobGrain unknown = cluster.Grains.GetGrain<IJobGrain>("nobody");
        ConvNetException nobody = await Assert.ThrowsAsync<ConvNetException>(() => unknown.StatusAsync(new StatusQuery()));
        Assert.Equal(ExitCode.BadInput, nobody.ExitCode);
        Assert.Contains("no job 'nobody'", nobody.Message);

        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("nonsense");
        JobSubmission submission = Submission(TestJobs.Job("lenet", batch: 20, steps: 5), workers: 5);
        Assert.Equal(ExitCode.BadInput, (await Assert.ThrowsAsync<ConvNetException>(() => grain.SubmitAsync(submission))).ExitCode);
        await Assert.ThrowsAsync<ConvNetException>(() => grain.StatusAsync(new StatusQuery()));
    }

    [Fact]
    public async Task A_job_that_is_submitted_again_is_the_same_job_and_another_one_under_its_id_is_a_conflict()
    {
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("twice");
        JobSubmission submission = Submission(TestJobs.Job("lenet", batch: 20, steps: 5), workers: 1);
        await grain.SubmitAsync(submission);
        await grain.SubmitAsync(submission);
        ConvNetException conflict = await Assert.ThrowsAsync<ConvNetException>(() => grain.SubmitAsync(submission with { SubmissionId = "another" }));
        Assert.Equal(ExitCode.Conflict, conflict.ExitCode);
        Assert.Equal(JobState.Stopped, (await TestJobs.EndAsync(grain)).State);
    }

    [Fact]
    public async Task A_cancelled_job_saves_what_it_has_and_takes_no_more_orders()
    {
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("cancelled");
        await grain.SubmitAsync(Submission(TestJobs.Job("lenet", batch: 20, steps: 50_000), workers: 2));
        await TestJobs.UntilAsync(grain, status => status.Step > 0);
        JobOrder cancel = JobOrder.Of(JobOrderKind.Cancel);
        await grain.OrderAsync(cancel);
        JobStatus end = await TestJobs.EndAsync(grain);

        Assert.Equal((JobState.Cancelled, end.Step), (end.State, end.Checkpoint!.Step));
        Assert.Contains(end.Checkpoint.Path, end.Reason);
        await grain.OrderAsync(cancel);
        ConvNetException late = await Assert.ThrowsAsync<ConvNetException>(() => grain.OrderAsync(JobOrder.Of(JobOrderKind.Stop)));
        Assert.Contains("it is cancelled at step", late.Message);
    }

    [Fact]
    public async Task A_job_whose_client_is_gone_saves_what_it_has_frees_its_workers_and_another_run_goes_on_to_the_same_bits()
    {
        var impatient = new ImpatientSilo();
        await impatient.InitializeAsync();
        await using (impatient)
        {
            JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 50_000);
            IJobGrain left = impatient.Grains.GetGrain<IJobGrain>("left-in-the-middle");
            await left.SubmitAsync(Submission(job, workers: 4) with { Client = "gone" });

            JobStatus end = await TestJobs.UntilAsync(left, status => status.State == JobState.Orphaned);

            Assert.Contains("silent for 2 s", end.Reason);
            Assert.Contains($"step {end.Step} is saved in {end.Checkpoint!.Path}", end.Reason);
            long until = end.Step + 20;
            (CheckpointResult whole, _) = await TestJobs.RunAsync(impatient.Grains, job, workers: 4, until: until);
            (CheckpointResult resumed, _) = await TestJobs.RunAsync(impatient.Grains, job, workers: 2, until: until, from: end.Checkpoint.Path);
            Assert.Equal(whole.StateSha256, resumed.StateSha256);
        }
    }

    [Fact]
    public async Task A_client_that_asks_keeps_its_lease_and_a_detached_job_needs_none()
    {
        var impatient = new ImpatientSilo();
        await impatient.InitializeAsync();
        await using (impatient)
        {
            JobSpec job = TestJobs.Job("lenet", batch: 20, steps: 50_000);
            IJobGrain attached = impatient.Grains.GetGrain<IJobGrain>("attached");
            IJobGrain detached = impatient.Grains.GetGrain<IJobGrain>("detached");
            await attached.SubmitAsync(Submission(job, workers: 2) with { Client = "here" });
            await detached.SubmitAsync(Submission(job, workers: 2));
            long end = Environment.TickCount64 + 5000;
            await TestJobs.UntilAsync(attached, _ => Environment.TickCount64 > end, new StatusQuery(Client: "here"));

            foreach (IJobGrain grain in new[] { attached, detached })
            {
                Assert.Equal(JobState.Running, (await grain.StatusAsync(new StatusQuery())).State);
                await grain.OrderAsync(JobOrder.Of(JobOrderKind.Stop));
                Assert.Equal(JobState.Stopped, (await TestJobs.EndAsync(grain)).State);
            }

            ConvNetException other = await Assert.ThrowsAsync<ConvNetException>(() => attached.OrderAsync(JobOrder.Of(JobOrderKind.Save, client: "another")));
            Assert.Equal(ExitCode.Conflict, other.ExitCode);
        }
    }

    [Fact]
    public async Task A_viewer_that_reads_slowly_gets_every_step_once()
    {
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>("read-slowly");
        JobSpec job = TestJobs.Job("lenet", batch: 4, steps: 2500);
        await grain.SubmitAsync(Submission(job, workers: 1));
        await TestJobs.EndAsync(grain);
        var steps = new List<long>();
        JobStatus status;
        do
        {
            status = await grain.StatusAsync(new StatusQuery(SinceStep: steps.Count));
            Assert.InRange(status.Rows.Length, 1, JobStatus.MostRows);
            steps.AddRange(status.Rows.Select(row => row.Step));
        }
        while (status.HasMore);

        Assert.Equal(Enumerable.Range(0, 2500).Select(step => (long)step), steps);
        Assert.Empty((await grain.StatusAsync(new StatusQuery())).Rows);
    }

    /// <returns>A job that has begun, and how it was then.</returns>
    private async Task<(IJobGrain Grain, JobStatus Running)> TrainWithoutStandbysAsync(string id, JobSpec job)
    {
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>(id);
        JobSubmission submission = Submission(job, workers: 4);
        await grain.SubmitAsync(submission with { Layout = submission.Layout with { Standbys = 0 } });
        return (grain, await TestJobs.UntilAsync(grain, status => status.Step > 0));
    }

    private static JobSubmission Submission(JobSpec job, int workers) =>
        TestJobs.Submission(job, Directory.CreateTempSubdirectory("convnet-test-").FullName, workers);
}
