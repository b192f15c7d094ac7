using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class RunFollowerTests
{
    private static readonly string[] WholeRun =
        ["step 0", "step 1", "step 2", "step 3", "saved 4", "half of it", "step 4", "step 5", "step 6", "saved 7"];

    private readonly ManualClock _clock = new();
    private readonly NotingSink _sink = new();

    [Theory]
    [InlineData(JobStatus.MostRows, 0)]
    [InlineData(3, 0)]
    [InlineData(3, 2)]
    [InlineData(1, 0)]
    public async Task Each_step_is_published_once_and_before_the_events_that_come_after_it(int most, int overlap)
    {
        var job = new FakeJob { Most = most + overlap, Overlap = overlap };
        ScriptWholeRun(job);

        RunEvent end = await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal(WholeRun, _sink.Seen);
        Assert.Equal(7, Assert.IsType<RunEvent.Completed>(end).Summary.Steps);
    }

    [Fact]
    public async Task Answers_that_are_lost_are_asked_for_again()
    {
        var job = new FakeJob();
        ScriptWholeRun(job);
        Exception?[] losses =
        [
            new TimeoutException(), null, new SiloUnavailableException(), new TimeoutException(), null, new TaskCanceledException(), new OrleansException(),
        ];
        Array.ForEach(losses, job.Losses.Enqueue);

        RunEvent end = await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal(WholeRun, _sink.Seen);
        Assert.IsType<RunEvent.Completed>(end);
    }

    [Fact]
    public async Task A_job_that_had_ended_before_anybody_asked_tells_everything()
    {
        var job = new FakeJob { Most = 2 };
        job.Train(3);
        job.Save();
        job.Stop();

        RunEvent end = await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["step 0", "step 1", "step 2", "saved 3"], _sink.Seen);
        Assert.IsType<RunEvent.Stopped>(end);
    }

    [Fact]
    public async Task What_one_answer_brings_is_published_in_the_order_in_which_it_happened()
    {
        var job = new FakeJob();
        job.Train(3);
        job.Save();
        job.Train(2);
        job.Save();
        job.Stop();

        await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["step 0", "step 1", "step 2", "saved 3", "step 3", "step 4", "saved 5"], _sink.Seen);
    }

    [Fact]
    public async Task What_waits_for_a_disk_is_told_as_written_only_when_the_disk_has_taken_it()
    {
        var job = new FakeJob();
        Action[] script = [job.Save, () => _sink.IsFull = true, job.Save, job.Save, () => _sink.IsFull = false, () => { }, job.Stop];
        Array.ForEach(script, job.Script.Enqueue);

        await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal([0, 1, 1, 2, 3, 3, 3], job.Queries.Select(query => (int)query.SinceEvent!));
        Assert.Equal([0, 1, 1, 1, 1, 3, 3], job.Queries.Select(query => (int)query.WrittenEvent!));
    }

    [Fact]
    public async Task A_failed_job_ends_the_run_with_its_own_code_and_words()
    {
        Assert.Equal((ExitCode.TrainingFailed, "gradients are not finite."), await EndAsync(JobState.Failed, new JobFailure(5, "gradients are not finite.")));
    }

    [Fact]
    public async Task An_internal_error_is_told_without_its_stack_trace()
    {
        Assert.Equal(
            (ExitCode.Bug, "System.InvalidOperationException: odd"),
            await EndAsync(JobState.Failed, new JobFailure(1, "System.InvalidOperationException: odd\n   at ConvNet.Grains")));
    }

    [Theory]
    [InlineData(JobState.Cancelled, ExitCode.Cancelled, "was cancelled at step 3; step 3 is saved in /runs/a/checkpoints/step-00000003.")]
    [InlineData(JobState.Orphaned, ExitCode.Environment, "has freed its workers at step 3; step 3 is saved in /runs/a/checkpoints/step-00000003.")]
    [InlineData(JobState.Completed, ExitCode.Bug, "job 'fake' is completed at step 3, but has not told its result.")]
    public async Task An_end_without_a_result_has_its_exit_code_and_says_what_is_saved(JobState state, ExitCode code, string words)
    {
        (ExitCode found, string error) = await EndAsync(state, null);

        Assert.Equal(code, found);
        Assert.EndsWith(words, error);
    }

    [Fact]
    public async Task A_client_whose_job_somebody_else_has_taken_up_publishes_nothing_of_it_and_ends_with_a_conflict()
    {
        var job = new FakeJob();
        job.Script.Enqueue(() => job.Train(2));
        job.Script.Enqueue(() =>
        {
            job.Train(3);
            job.Holder = "another";
        });

        RunEvent.Failed end = Assert.IsType<RunEvent.Failed>(await Follower(job).FollowAsync(TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Conflict, end.ExitCode);
        Assert.Contains("somebody else has taken the job up since: it is running at step 5 without it.", end.Error);
        Assert.Equal(["step 0", "step 1"], _sink.Seen);
    }

    [Fact]
    public async Task A_job_that_nobody_has_taken_up_tells_why_it_was_stopped()
    {
        var job = new FakeJob { Reason = "nobody has taken it up for 60 minutes; step 3 is saved in /runs/a/3." };
        job.Script.Enqueue(job.Stop);

        RunEvent.Failed end = Assert.IsType<RunEvent.Failed>(await Follower(job).FollowAsync(TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Environment, end.ExitCode);
        Assert.EndsWith(job.Reason, end.Error);
    }

    [Fact]
    public async Task A_job_that_was_lost_with_its_silo_is_a_failure_of_the_environment()
    {
        var job = new FakeJob();
        job.Losses.Enqueue(new ConvNetException(ExitCode.BadInput, "no job 'fake' in this cluster."));

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => Follower(job).FollowAsync(TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.Contains("no longer knows job 'fake'", error.Message);
    }

    [Theory]
    [InlineData(true, 18, "job 'fake', last heard of at step 2, has not answered for 1", "calls time out")]
    [InlineData(false, 7, "job 'fake', last heard of at step 2, has not answered for 6 s", "127.0.0.1:11112 cannot be reached")]
    public async Task A_cluster_that_is_silent_ends_the_run_within_seconds(bool timesOut, int seconds, string who, string cause)
    {
        var job = new FakeJob();
        job.Script.Enqueue(() => job.Train(2));
        job.Losses.Enqueue(null);
        for (int i = 0; i < 100; i++)
        {
            job.Script.Enqueue(() => _clock.Advance(TimeSpan.FromSeconds(timesOut ? 3 : 0)));
            job.Losses.Enqueue(timesOut ? new TimeoutException() : new OrleansException("ConnectionFailedException to S127.0.0.1:11112:3\n   at Orleans"));
        }

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => Follower(job).FollowAsync(TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.InRange(_clock.Now.TotalSeconds, seconds - 4, seconds);
        Assert.StartsWith(who, error.Message);
        Assert.Contains(cause, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task A_process_that_was_suspended_does_not_take_its_own_silence_for_that_of_the_cluster()
    {
        var job = new FakeJob();
        job.Script.Enqueue(() => _clock.Advance(TimeSpan.FromMinutes(5)));
        job.Losses.Enqueue(new TimeoutException());
        job.Script.Enqueue(() => job.State = JobState.Orphaned);

        RunEvent end = await Follower(job).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Contains("was silent for too long", Assert.IsType<RunEvent.Failed>(end).Error);
    }

    [Fact]
    public async Task Each_question_says_what_is_known_and_who_asks_and_a_viewer_asks_for_no_rows()
    {
        var job = new FakeJob();
        ScriptWholeRun(job);
        await Follower(job).FollowAsync(TestContext.Current.CancellationToken);
        StatusQuery[] ofClient = [.. job.Queries];
        job.Queries.Clear();
        using var run = new RunStream([_sink]);
        await new RunFollower(job, FakeJob.Id, run, firstStep: null, _clock).FollowAsync(TestContext.Current.CancellationToken);

        Assert.Equal(new StatusQuery(0, 0, "me", null, 0), ofClient[0]);
        Assert.Equal(new StatusQuery(4, 2, "me", null, 2), ofClient[2]);
        Assert.Equal([new StatusQuery(null, 0, null)], job.Queries);
    }

    private static void ScriptWholeRun(FakeJob job)
    {
        job.Script.Enqueue(() => job.Train(2));
        job.Script.Enqueue(() =>
        {
            job.Train(2);
            job.Save();
            job.Tell(new RunEvent.Warning("half of it"));
        });
        for (int pause = 0; pause < 10; pause++)
        {
            job.Script.Enqueue(() => { });
        }

        job.Script.Enqueue(() =>
        {
            job.Train(3);
            job.Save();
            job.Complete();
        });
    }

    private async Task<(ExitCode Code, string Error)> EndAsync(JobState state, JobFailure? failure)
    {
        var job = new FakeJob();
        job.Train(3);
        job.Save();
        (job.State, job.Failure) = (state, failure);
        var end = Assert.IsType<RunEvent.Failed>(await Follower(job).FollowAsync(TestContext.Current.CancellationToken));
        return (end.ExitCode, end.Error);
    }

    private RunFollower Follower(FakeJob job) => new(job, FakeJob.Id, new RunStream([_sink]), 0, _clock) { Client = "me" };
}
