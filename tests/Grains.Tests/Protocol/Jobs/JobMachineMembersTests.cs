using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job goes on when workers are lost and when others join.</summary>
public class JobMachineMembersTests
{
    private static readonly AssignedWorker Free = new("d/0", 0, default, 1);

    [Fact]
    public void A_lost_worker_leaves_its_shards_to_the_others_from_the_open_step_on()
    {
        MachineHost host = Running();
        host.Commit(host.First, 4);

        host.Machine.Lose("b/0", "has left the cluster", host.Now + 2);
        host.Holds = _ => false;
        host.Drain();

        Assert.Equal(["dismiss b/0", "freeze 2", "start 2 at 4 with a/0 c/0", "run 4 to 10", "evaluate 10"], host.Done[1..6]);
        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal((2, 4, 2, 1), (change.Generation, change.Step, change.Workers, change.StepsRepeated));
        Assert.Equal(["b/0"], change.Lost);
        Assert.Empty(change.Joined);
        Assert.Equal("b/0 has left the cluster", change.Reason);
        Assert.Equal(1.5, change.GapSeconds);
        Assert.Equal(JobState.Completed, host.Machine.State);
        RunSummary summary = host.Events.OfType<RunEvent.Completed>().Single().Summary;
        Assert.Equal(["a/0", "b/0", "c/0"], summary.SamplesPerWorker.Select(worker => worker.Key));
        Assert.Equal(250, summary.SamplesPerWorker.Sum(worker => worker.Value));
        Assert.Equal(12, summary.SamplesPerWorker[1].Value);
    }

    [Fact]
    public void A_worker_that_is_lost_while_it_evaluates_costs_the_time_since_its_last_sign_of_life_too()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Evaluate };
        host.Begin();
        double seen = host.Now;
        host.Machine.WorkerSeen(host.First.HeaderOf(10), new WorkerStatus("b/0", 2, 4, 10, 0, 0, 0, 0, 0), seen);
        host.Now = seen + 4;
        host.Machine.Lose("b/0", "has not answered for 4.0 s", seen + 3);
        host.Holds = _ => false;
        host.Drain();

        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal((3, 4 + 1.5, 0), (change.NoticedSeconds, change.GapSeconds, change.StepsRepeated));
    }

    [Fact]
    public void A_slice_whose_last_step_is_committed_during_a_change_is_over_after_it()
    {
        MachineHost host = Running();
        host.Machine.Lose("b/0", "is gone", 0);
        host.Commit(host.First, 10);
        host.Holds = command => command is JobCommand.Evaluate;
        host.Drain();

        Assert.Equal(["dismiss b/0", "freeze 2", "start 2 at 10 with a/0 c/0"], host.Done[1..]);
        Assert.IsType<JobCommand.Evaluate>(host.Held[^1]);
    }

    [Fact]
    public void A_worker_that_joins_an_empty_job_waits_for_the_checkpoint_that_is_being_written()
    {
        var host = new MachineHost(new TrainingPlan { EvaluateEvery = 25, SaveEvery = 10 }, 0, "a/0") { Holds = command => command is not JobCommand.Start };
        host.Begin();
        host.Machine.Lose("a/0", "is gone", 0);
        host.Commit(host.First, 10);
        Assert.Equal(JobState.Saving, host.Machine.State);
        host.Drain();

        Assert.True(host.Machine.Join(Free, 0));
        Assert.Empty(host.Machine.TakeCommands());
        host.Machine.Pinned(0);

        Assert.Equal(2, host.Machine.TakeCommands().OfType<JobCommand.Freeze>().Single().Header.Generation);
    }

    [Fact]
    public void The_lowest_version_of_all_servers_is_the_first_step()
    {
        MachineHost host = Running();
        host.Commit(host.First, 4);
        host.Machine.Lose("b/0", "is gone", 0);
        host.Drain();

        host.Machine.Frozen(2, new FrozenAt(Verdict.Accepted, 6), [new(Verdict.Accepted, 6), new(Verdict.Accepted, 5)]);
        host.Drain();

        Assert.Equal(5, host.Held.OfType<JobCommand.Start>().Last().Assignment.FirstStep);
        Assert.Equal(AssignmentStart.GoOn, host.Held.OfType<JobCommand.Start>().Last().Assignment.Start);
    }

    [Fact]
    public void Versions_that_do_not_fit_together_send_the_job_back_to_its_checkpoint()
    {
        MachineHost host = Running();
        host.Machine.Lose("b/0", "is gone", 0);
        host.Machine.Frozen(2, new FrozenAt(Verdict.Accepted, 6), [new(Verdict.Accepted, 6), new(Verdict.Accepted, 3)]);
        Assert.Equal(JobState.Queued, host.Machine.State);
        Assert.Contains("versions 6, 3; only the last step can run again; the job goes back to where it began", host.Machine.Reason);
    }

    [Fact]
    public void A_server_that_holds_no_state_sends_the_job_back_to_its_checkpoint()
    {
        MachineHost host = Running();
        host.Machine.Lose("b/0", "is gone", 0);
        FrozenAt at = new(Verdict.Accepted, 6);
        Answer forgetful = new(Verdict.Rejected, "partition 'b/job/1' holds no state of job 'job': its silo has restarted.");
        host.Machine.Frozen(2, at, [at, FrozenAt.Not(forgetful)]);
        Assert.Equal(JobState.Queued, host.Machine.State);
        Assert.Contains("its silo has restarted; the job goes back to where it began", host.Machine.Reason);
        Assert.Contains(host.Machine.TakeCommands(), command => command is JobCommand.Release);
    }

    [Fact]
    public void A_loss_during_a_change_overtakes_it_and_both_are_told_as_one()
    {
        MachineHost host = Running();
        host.Machine.Lose("b/0", "is gone", 0);
        host.Machine.Lose("c/0", "is gone, too", 0);
        FrozenAt at = new(Verdict.Accepted, 0);
        host.Machine.Frozen(2, at, [at]);
        host.Machine.Started(2, null, 0);
        Assert.Empty(host.Machine.TakeCommands().OfType<JobCommand.Start>());

        host.Machine.Frozen(3, at, [at]);
        Assignment third = host.Machine.TakeCommands().OfType<JobCommand.Start>().Single().Assignment;
        host.Machine.Started(3, null, 0);
        host.Commit(third, 1);

        Assert.Equal(["a/0"], third.Workers.Select(worker => worker.Name));
        Assert.Equal(new ShardRange(0, 6), third.Workers[0].Shards);
        Assert.Equal(["b/0", "c/0"], Assert.Single(host.Changes).Lost);
    }

    [Fact]
    public void A_joiner_waits_for_the_end_of_the_slice()
    {
        MachineHost host = Running(asked: 4);
        host.Commit(host.First, 4);
        Assert.True(host.Machine.Join(Free, 0));
        Assert.False(host.Machine.Join(Free, 0));
        Assert.Equal(0, host.Machine.MissingWorkers);
        Assert.Equal(1, host.Machine.Generation);

        host.Holds = _ => false;
        host.Commit(host.First, 10);
        host.Drain();

        Assert.Equal(["freeze 2", "start 2 at 10 with a/0 b/0 c/0 d/0", "evaluate 10", "save 10", "run 10 to 20"], host.Done[1..6]);
        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal((2, 10, 0), (change.Generation, change.Step, change.StepsRepeated));
        Assert.Equal(["d/0"], change.Joined);
    }

    [Fact]
    public void A_job_that_has_all_its_workers_takes_on_no_other()
    {
        MachineHost host = Running();
        Assert.Equal(0, host.Machine.MissingWorkers);
        Assert.False(host.Machine.Join(Free, 0));
        host.Machine.Lose("a/0", "is gone", 0);
        Assert.Equal(1, host.Machine.MissingWorkers);
    }

    [Fact]
    public void A_worker_that_is_lost_during_an_evaluation_has_its_blocks_evaluated_by_the_others()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Evaluate };
        host.Begin();
        host.Machine.Lose("c/0", "is gone", 0);
        host.Holds = _ => false;
        host.Drain();

        Assert.Equal(["freeze 2", "start 2 at 10 with a/0 b/0", "evaluate 10", "save 10"], host.Done.Skip(3).Take(4));
        Assert.Equal(0, Assert.Single(host.Changes).StepsRepeated);
        Assert.All(host.Events.OfType<RunEvent.EpochCompleted>(), epoch => Assert.Equal(MachineHost.TestSamples, epoch.Evaluation.Samples));
    }

    [Fact]
    public void A_checkpoint_under_way_is_not_disturbed_by_a_lost_worker()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Save };
        host.Begin();
        host.Machine.Lose("c/0", "is gone", 0);
        host.Drain();
        Assert.Equal(1, host.Machine.Generation);

        host.Holds = _ => false;
        host.Do(host.Held.Single());
        host.Drain();

        Assert.Equal(["save 10", "freeze 2", "start 2 at 10 with a/0 b/0", "run 10 to 20"], host.Done.SkipWhile(done => done != "save 10").Take(4));
    }

    [Fact]
    public void A_worker_that_is_lost_before_the_last_checkpoint_changes_nothing_any_more()
    {
        var host = new MachineHost(new TrainingPlan { EvaluateEvery = 10, StopAfter = 5 }) { Holds = command => command is JobCommand.Save };
        host.Begin();
        host.Machine.Lose("c/0", "is gone", 0);
        host.Holds = _ => false;
        host.Do(host.Held.Single());
        host.Drain();
        Assert.DoesNotContain(host.Done, done => done.StartsWith("freeze", StringComparison.Ordinal));
        Assert.Equal("release", host.Done[^1]);
    }

    [Fact]
    public void Without_workers_the_job_waits_for_one_and_goes_on_with_it()
    {
        MachineHost host = Running(["a/0"], asked: 1);
        host.Commit(host.First, 4);
        host.Machine.Lose("a/0", "is gone", host.Now);
        host.Machine.Tick(host.Now + 29);
        host.Drain();
        Assert.Equal(1, host.Machine.Generation);
        Assert.False(host.Machine.HasEnded);

        Assert.True(host.Machine.Join(Free, host.Now));
        host.Holds = _ => false;
        host.Drain();

        Assert.Contains("start 2 at 4 with d/0", host.Done);
        Assert.Equal(JobState.Completed, host.Machine.State);
        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal(["a/0"], change.Lost);
        Assert.Equal(["d/0"], change.Joined);
    }

    [Fact]
    public void A_worker_that_is_lost_while_the_job_starts_sends_the_job_back_to_the_queue_three_times()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Start };
        host.Begin();
        for (int start = 0; start < 3; start++)
        {
            host.Machine.Lose("b/0", "has left the cluster", 0);
            host.Drain();
            Assert.Equal(["dismiss b/0", "release"], host.Done[^2..]);
            Assert.True(host.Machine.WantsPlace);
            Assert.Equal("worker b/0 has left the cluster while the job was starting.", host.Machine.Reason);
            host.BeginAgain("a/0", "b/0");
        }

        host.Machine.Lose("b/0", "has left the cluster", 0);
        Assert.Contains("worker b/0 has left the cluster while the job was starting, for the 4th time", host.Machine.Failure!.Message);
    }

    [Fact]
    public void A_worker_that_holds_up_a_step_is_taken_out()
    {
        MachineHost host = Running(plan: new TrainingPlan { EvaluateEvery = 25 });
        host.Commit(host.First, 22);
        double now = host.Now + 6;
        See(host, 0, WorkerPhase.Computing, 6, now);
        See(host, 1, WorkerPhase.WaitingForBatchNorm, 6, now);
        See(host, 2, WorkerPhase.WaitingForBatchNorm, 6, now);

        host.Machine.Tick(now);

        Assert.Equal(2, host.Machine.Generation);
        Assert.Equal(1, host.Machine.MissingWorkers);
    }

    private static void See(MachineHost host, int worker, WorkerPhase phase, double seconds, double now) => host.Machine.WorkerSeen(
        host.First.HeaderOf(22, worker),
        new WorkerStatus(host.First.Workers[worker].Name, 0, 0, 22, 0, 0, 0, 0, 0) { Phase = phase, PhaseSeconds = seconds },
        now);

    private static MachineHost Running(string[]? workers = null, int? asked = null, TrainingPlan? plan = null)
    {
        var host = new MachineHost(plan, 0, workers ?? [])
        {
            Holds = command => command is not (JobCommand.Start { Assignment.Generation: 1 } or JobCommand.Dismiss),
        };
        host.Begin(asked ?? host.First.Workers.Length);
        host.Done.RemoveAll(done => done.StartsWith("start", StringComparison.Ordinal));
        host.Done.Insert(0, "begun");
        host.Held.Clear();
        return host;
    }
}
