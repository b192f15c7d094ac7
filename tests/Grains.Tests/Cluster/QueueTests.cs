using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Jobs that share the four devices of a silo.</summary>
public sealed class QueueTests(OneSilo cluster) : IClassFixture<OneSilo>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ten_jobs_at_once_on_four_devices_end_in_the_order_of_priority_and_submission_with_their_own_bits()
    {
        JobSpec[] jobs = [.. Enumerable.Range(0, 10).Select(i => TestJobs.Job("lenet", batch: 8, steps: 3) with { Seed = (ulong)(100 + i) })];
        string[] alone = await Task.WhenAll(jobs.Select(job => TestJobs.HashAsync(cluster.Grains, job, 1)));
        IJobGrain blocker = await SubmitAsync("blocker", TestJobs.Job("lenet", batch: 8, steps: 1_000_000), workers: 4, priority: 100);
        await TestJobs.UntilAsync(blocker, status => status.Step > 0);

        // Every job needs all devices, so that one runs at a time.
        int[] priorities = [0, 2, -1, 0, 5, 2, 0, -1, 5, 1];
        var grains = new IJobGrain[jobs.Length];
        for (int i = 0; i < jobs.Length; i++)
        {
            grains[i] = await SubmitAsync($"job-{i}", jobs[i], workers: 4, priorities[i]);
        }

        int[] order = [.. Enumerable.Range(0, jobs.Length).OrderByDescending(i => priorities[i]).ThenBy(i => i)];
        foreach ((int job, int place) in order.Select((job, place) => (job, place)))
        {
            string reason = place == 0 ? "(4 serve other jobs" : "job 'job-4' of priority 5";
            JobStatus waiting = await TestJobs.UntilAsync(
                grains[job], status => status.QueuePosition == place + 1 && status.Reason!.Contains(reason, StringComparison.Ordinal));
            Assert.Equal(priorities[job], waiting.Priority);
        }

        await blocker.OrderAsync(JobOrder.Of(JobOrderKind.Cancel));
        JobStatus[] ends = await Task.WhenAll(grains.Select(TestJobs.EndAsync));
        Assert.Equal(alone, ends.Select(end => end.Checkpoint!.StateSha256));
        DateTime[] written = [.. order.Select(job => File.GetLastWriteTimeUtc(Path.Combine(ends[job].Checkpoint!.Path, "manifest.json")))];
        Assert.Equal(written.Order(), written);
    }

    [Fact]
    public async Task A_paused_job_makes_room_for_another_and_goes_on_to_the_bits_of_an_undisturbed_one()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 8, steps: 1_000_000);
        IJobGrain paused = await SubmitAsync("paused", job, workers: 4);
        await TestJobs.UntilAsync(paused, status => status.Step > 0);
        JobOrder pause = JobOrder.Of(JobOrderKind.Pause);
        await paused.OrderAsync(pause);
        await paused.OrderAsync(pause);
        JobStatus rests = await TestJobs.UntilAsync(paused, status => status.State == JobState.Paused);
        Assert.Equal(rests.Step, rests.Checkpoint!.Step);
        Assert.Empty(rests.Workers);

        (_, JobStatus other) = await TestJobs.RunAsync(cluster.Grains, job, workers: 4, until: 3);
        Assert.Equal(JobState.Stopped, other.State);
        ConvNetException taken = await Assert.ThrowsAsync<ConvNetException>(() => SubmitAsync("paused", job, workers: 1));
        Assert.Equal(ExitCode.Conflict, taken.ExitCode);
        await paused.OrderAsync(JobOrder.Of(JobOrderKind.Resume));
        await TestJobs.UntilAsync(paused, status => status.Step > rests.Step);
        ConvNetException notPaused = await Assert.ThrowsAsync<ConvNetException>(() => paused.OrderAsync(JobOrder.Of(JobOrderKind.Resume)));
        Assert.Equal(ExitCode.Conflict, notPaused.ExitCode);
        long until = rests.Step + 1000;
        await paused.OrderAsync(JobOrder.Of(JobOrderKind.StopAfter, until));
        JobStatus end = await TestJobs.EndAsync(paused);
        (CheckpointResult whole, _) = await TestJobs.RunAsync(cluster.Grains, job, workers: 1, until: end.Step);

        Assert.Equal(whole.StateSha256, end.Checkpoint!.StateSha256);
        RunEvent[] events = [.. (await paused.StatusAsync(new StatusQuery(SinceEvent: 0))).Events.Select(happened => happened.Event)];
        Assert.Equal(
            [typeof(RunEvent.CheckpointSaved), typeof(RunEvent.Yielded), typeof(RunEvent.Resumed), typeof(RunEvent.CheckpointSaved), typeof(RunEvent.Stopped)],
            events.Select(happened => happened.GetType()));
        Assert.Equal(8 * end.Step, events.OfType<RunEvent.Stopped>().Single().Summary.SamplesPerWorker.Sum(worker => worker.Value));
    }

    [Fact]
    public async Task A_job_starts_with_the_least_of_its_workers_and_grows_when_nobody_as_important_waits()
    {
        JobSpec job = TestJobs.Job("lenet", batch: 8, steps: 1_000_000);
        IJobGrain other = await SubmitAsync("other", job, workers: 3);
        await TestJobs.UntilAsync(other, status => status.Step > 0);
        IJobGrain grows = await SubmitAsync("grows", job, workers: 3, least: 1);
        await TestJobs.UntilAsync(grows, status => status.Step > 0);
        IJobGrain waits = await SubmitAsync("waits", job, workers: 4);
        await TestJobs.UntilAsync(waits, status => status.QueuePosition == 1);

        await other.OrderAsync(JobOrder.Of(JobOrderKind.Cancel));
        await TestJobs.EndAsync(other);
        await TestJobs.UntilAsync(waits, status => status.Reason?.Contains("3 free devices", StringComparison.Ordinal) == true);
        Assert.Single((await grows.StatusAsync(new StatusQuery())).Workers);
        await waits.OrderAsync(JobOrder.Of(JobOrderKind.Pause));
        Assert.Equal(JobState.Paused, (await waits.StatusAsync(new StatusQuery())).State);
        JobStatus grown = await TestJobs.UntilAsync(
            grows, status => status.Events.Any(happened => happened.Event is RunEvent.MembersChanged { Workers: 3, Lost: [] }));
        await grows.OrderAsync(JobOrder.Of(JobOrderKind.StopAfter, grown.Step + 1000));
        JobStatus end = await TestJobs.EndAsync(grows);
        (CheckpointResult whole, _) = await TestJobs.RunAsync(cluster.Grains, job, workers: 1, until: end.Step);
        Assert.Equal(whole.StateSha256, end.Checkpoint!.StateSha256);
        await waits.OrderAsync(JobOrder.Of(JobOrderKind.Cancel));
        Assert.Equal(JobState.Cancelled, (await TestJobs.EndAsync(waits)).State);
    }

    private async Task<IJobGrain> SubmitAsync(string id, JobSpec job, int workers, int priority = 0, int least = 0)
    {
        IJobGrain grain = cluster.Grains.GetGrain<IJobGrain>(id);
        JobSubmission submission = TestJobs.Submission(job, Path.Combine(_folder.Path, id), workers);
        await grain.SubmitAsync(submission with { Priority = priority, Layout = submission.Layout with { MinWorkers = least } });
        return grain;
    }
}
