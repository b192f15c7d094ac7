using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job gives its place up and takes another one.</summary>
public class JobMachineQueueTests
{
    [Fact]
    public void A_paused_job_saves_frees_everything_and_goes_on_from_there_in_a_new_generation()
    {
        MachineHost host = Paused();
        Assert.Equal(["start 1 at 0 with a/0 b/0 c/0", "run 0 to 10", "save 10", "release"], host.Done);
        Assert.Equal((JobState.Paused, "it was paused by order; step 10 is saved in /runs/one/10."), (host.Machine.State, host.Machine.Reason));
        Assert.Null(host.Machine.Assignment);
        Assert.False(host.Machine.WantsPlace);
        Assert.False(host.Machine.HasEnded);

        host.Done.Clear();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        Assert.True(host.Machine.WantsPlace);
        host.Holds = _ => false;
        host.BeginAgain("d/0", "e/0");

        Assert.Equal(
            [
                "start 2 at 10 with d/0 e/0", "evaluate 10", "run 10 to 20", "evaluate 20", "save 20", "run 20 to 25", "evaluate 25", "save 25 as final",
                "release",
            ],
            host.Done);
        Assert.Equal(JobState.Completed, host.Machine.State);
        Assert.Equal(
            [
                "CheckpointSaved", "Yielded", "Resumed", "EpochCompleted", "EpochCompleted", "CheckpointSaved", "EpochCompleted", "CheckpointSaved",
                "Completed",
            ],
            host.Events.Select(happened => happened.GetType().Name));
        Assert.Equal(Enumerable.Range(0, 25).Select(step => (long)step), host.Machine.Rows.Since(0).Select(row => row.Step));
        Assert.Equal(
            [("a/0", 30), ("b/0", 30), ("c/0", 40), ("d/0", 75), ("e/0", 75)],
            host.Events.OfType<RunEvent.Completed>().Single().Summary.SamplesPerWorker.Select(worker => (worker.Key, worker.Value)));
    }

    [Fact]
    public void A_job_that_waits_is_paused_at_once_and_takes_no_place_until_it_is_resumed()
    {
        var host = new MachineHost();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        Assert.Equal((JobState.Paused, "it was paused by order before it began."), (host.Machine.State, host.Machine.Reason));
        host.Machine.Wait("somebody is ahead.", 2);
        Assert.Equal("it was paused by order before it began.", host.Machine.Reason);
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        host.Machine.Wait("somebody is ahead.", 2);
        Assert.Equal((true, "somebody is ahead.", 2), (host.Machine.WantsPlace, host.Machine.Reason, host.Machine.QueuePosition));
        host.Begin();
        Assert.Equal((JobState.Completed, null), (host.Machine.State, host.Machine.QueuePosition));
    }

    [Fact]
    public void A_pause_told_twice_is_one_and_a_job_that_is_not_paused_is_not_resumed()
    {
        MachineHost host = Paused();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        Assert.Equal(JobState.Paused, host.Machine.State);
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        host.BeginAgain("a/0");

        ConvNetException error = Assert.Throws<ConvNetException>(() => host.Machine.Order(JobOrder.Of(JobOrderKind.Resume)));

        Assert.Equal(ExitCode.Conflict, error.ExitCode);
        Assert.Contains("job 'job' is not paused, and needs no resume: it is running at step 10 of 25", error.Message);
    }

    [Fact]
    public void A_job_that_pauses_when_its_last_worker_is_gone_is_not_without_workers_in_its_next_place()
    {
        var host = new MachineHost(workers: ["a/0"]) { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        host.Machine.Lose("a/0", "is gone", 0);
        host.Commit(host.First, 10);
        host.Drain();
        Assert.Equal(JobState.Paused, host.Machine.State);
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        host.BeginAgain("b/0");
        host.Machine.Tick(100);
        Assert.Equal((JobState.Running, 10), (host.Machine.State, host.Machine.Step));
    }

    [Fact]
    public void A_pause_that_is_taken_back_before_it_takes_effect_costs_nothing()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        host.Holds = _ => false;
        host.Commit(host.First, 10);
        host.Drain();
        Assert.Equal((JobState.Completed, 1), (host.Machine.State, host.Machine.Generation));
    }

    [Fact]
    public void No_place_is_taken_before_the_last_one_is_free()
    {
        MachineHost host = Paused(command => command is JobCommand.Run or JobCommand.Release);
        host.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        Assert.Equal((JobState.Queued, false), (host.Machine.State, host.Machine.WantsPlace));
        host.Do(host.Held[^1]);
        Assert.True(host.Machine.WantsPlace);
    }

    [Fact]
    public void A_stop_that_is_due_where_the_job_pauses_ends_it()
    {
        MachineHost host = Paused(plan: new TrainingPlan { EvaluateEvery = 10, StopAfter = 10 });
        Assert.Equal(JobState.Stopped, host.Machine.State);
        Assert.IsType<RunEvent.Stopped>(host.Events.Last());
    }

    [Fact]
    public void A_job_that_pauses_where_it_began_has_nothing_to_save()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Start };
        host.Begin();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        host.Machine.Started(1, null, 0);
        host.Drain();
        Assert.Equal(["release"], host.Done);
        Assert.Equal("it was paused by order; at step 0 there was nothing new to save.", host.Machine.Reason);
        host.Machine.Order(JobOrder.Of(JobOrderKind.Stop));
        Assert.Equal((JobState.Cancelled, "it was cancelled by order; at step 0 there was nothing new to save."), (host.Machine.State, host.Machine.Reason));
    }

    [Theory]
    [InlineData(JobOrderKind.Cancel, JobState.Cancelled)]
    [InlineData(JobOrderKind.Stop, JobState.Stopped)]
    public void A_paused_job_ends_at_once_with_what_it_has_saved(JobOrderKind kind, JobState end)
    {
        MachineHost host = Paused();
        host.Machine.Order(JobOrder.Of(kind));
        host.Drain();
        Assert.Equal(end, host.Machine.State);
        Assert.Single(host.Done, done => done == "release");
        Assert.Equal(end == JobState.Stopped ? null : true, host.Machine.Reason?.EndsWith("step 10 is saved in /runs/one/10.", StringComparison.Ordinal));
        Assert.Equal(end == JobState.Stopped, host.Events.Last() is RunEvent.Stopped { Summary.Checkpoint: "/runs/one/10" });
    }

    [Fact]
    public void What_comes_late_of_the_place_that_is_given_up_changes_nothing()
    {
        MachineHost host = Paused();
        host.Machine.Lose("a/0", "is silent", 1);
        host.Machine.Started(1, null, 1);
        host.Machine.Frozen(1, new FrozenAt(Verdict.Accepted, 10), []);
        host.Machine.Tick(1000);
        host.Drain();
        Assert.False(host.Machine.Join(new AssignedWorker("d/0", 0, default, 1), 1));
        Assert.Equal(0, host.Machine.MissingWorkers);
        Assert.Equal(Verdict.Stale, host.Commit(host.First, 12).Verdict);
        Assert.Equal((JobState.Paused, 10, "release"), (host.Machine.State, host.Machine.Step, host.Done[^1]));
    }

    private static MachineHost Paused(Func<JobCommand, bool>? holds = null, TrainingPlan? plan = null)
    {
        var host = new MachineHost(plan) { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        host.Done.Add("run 0 to 10");
        host.Holds = holds ?? host.Holds;
        host.Commit(host.First, 10);
        host.Drain();
        return host;
    }
}
