using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobMachineTests
{
    [Fact]
    public void A_job_is_carried_out_to_its_end_and_tells_of_it()
    {
        var host = new MachineHost();

        host.Begin();

        Assert.Equal(
            [
                "start 1 at 0 with a/0 b/0 c/0", "run 0 to 10", "evaluate 10", "save 10", "run 10 to 20", "evaluate 20", "save 20", "run 20 to 25",
                "evaluate 25", "save 25 as final", "release",
            ],
            host.Done);
        Assert.Equal(JobState.Completed, host.Machine.State);
        Assert.Equal(
            ["EpochCompleted", "CheckpointSaved", "EpochCompleted", "CheckpointSaved", "EpochCompleted", "CheckpointSaved", "Completed"],
            host.Events.Select(happened => happened.GetType().Name));
        RunEvent.EpochCompleted[] epochs = [.. host.Events.OfType<RunEvent.EpochCompleted>()];
        Assert.Equal([(1, 3), (2, 3), (3, 3)], epochs.Select(epoch => (epoch.Epoch, epoch.Epochs)));
        Assert.All(epochs, epoch => Assert.Equal(MachineHost.TestSamples, epoch.Evaluation.Samples));
        RunSummary summary = host.Events.OfType<RunEvent.Completed>().Single().Summary;
        Assert.Equal((25, 3, "aa", "/runs/one/25"), (summary.Steps, summary.Epochs, summary.StateSha256, summary.Checkpoint));
        Assert.Equal(250, summary.SamplesPerWorker.Sum(worker => worker.Value));
    }

    [Fact]
    public void A_job_from_a_checkpoint_starts_at_its_step()
    {
        var host = new MachineHost(new TrainingPlan { EvaluateEvery = 10, StopAfter = 18 }, startStep: 15);
        host.Begin();
        Assert.Equal(["start 1 at 15 with a/0 b/0 c/0", "run 15 to 18", "save 18", "release"], host.Done);
        Assert.Equal(30, host.Events.OfType<RunEvent.Stopped>().Single().Summary.SamplesPerWorker.Sum(worker => worker.Value));
    }

    [Fact]
    public void Progress_of_an_older_generation_and_progress_told_again_change_nothing()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        Assert.Equal(Verdict.Accepted, host.Commit(host.First, 4).Verdict);
        Assert.Equal(Verdict.Duplicate, host.Commit(host.First, 4).Verdict);
        Assert.Equal(Verdict.Duplicate, host.Commit(host.First, 2).Verdict);
        Assert.Equal(Verdict.Stale, host.Commit(host.First with { Generation = 0 }, 9).Verdict);
        Assert.Equal(4, host.Machine.Step);
    }

    [Fact]
    public void A_warning_is_told_once_however_often_it_is_repeated()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        for (int step = 1; step < 4; step++)
        {
            host.Machine.Progress(
                host.First.HeaderOf(step), new StepProgress { Position = new JobPosition(step, step, 0, default), Warnings = ["step 0 is skipped"] }, 0);
        }

        Assert.Equal("step 0 is skipped", host.Events.OfType<RunEvent.Warning>().Single().Message);
    }

    [Fact]
    public void A_job_tells_a_thousand_warnings_and_after_that_only_of_silos_that_are_silent()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        for (int warning = 1; warning <= 1001; warning++)
        {
            host.Machine.Warn($"warning {warning}.");
        }

        host.Machine.WarnOfSilence("far", "has not answered for 3.1 s", ["partition 0"]);

        string[] told = [.. host.Events.OfType<RunEvent.Warning>().Select(warning => warning.Message)];
        Assert.Equal("warning 1000. This is the 1000th warning of the job, and further ones of this kind are not told.", told[^2]);
        Assert.StartsWith("silo 'far' has not answered for 3.1 s", told[^1]);
    }

    [Fact]
    public void A_failure_of_a_server_ends_the_job_the_second_time_unless_something_new_was_saved()
    {
        var failure = new JobFailure((int)ExitCode.Environment, "partition 0 holds no job.");
        var host = new MachineHost(new TrainingPlan { SaveEvery = 5 }) { Holds = command => command is JobCommand.Run { FirstStep: 5 } };
        host.Begin();
        Assert.Equal(5, host.Machine.Checkpoint!.Step);
        host.Machine.FailServer(failure, host.Now);
        Assert.Equal("partition 0 holds no job; the job goes back to step 5, which is saved in /runs/one/5.", host.Machine.Reason);
        host.Drain();
        host.Holds = command => command is JobCommand.Run { FirstStep: >= 10 };
        host.BeginAgain("a/0");
        Assert.Equal(10, host.Machine.Checkpoint!.Step);
        host.Machine.FailServer(failure, host.Now);
        Assert.Equal(JobState.Queued, host.Machine.State);
        host.Drain();
        host.BeginAgain("a/0");

        host.Machine.FailServer(failure, host.Now);

        Assert.Equal((JobState.Failed, failure), (host.Machine.State, host.Machine.Failure));
    }

    [Fact]
    public void The_first_failure_stays_and_frees_everything_once()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Fail(new JobFailure(5, "first."));
        host.Machine.Fail(new JobFailure(4, "second."));
        host.Drain();
        Assert.Equal((JobState.Failed, "first."), (host.Machine.State, host.Machine.Failure!.Message));
        Assert.Single(host.Done, done => done == "release");
        Assert.Equal(Verdict.Stale, host.Commit(host.First, 4).Verdict);
    }

    [Fact]
    public void Checkpoints_and_generations_that_end_late_change_nothing_after_the_end()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Save };
        host.Begin();
        host.Machine.Fail(new JobFailure(5, "first."));
        host.Machine.Saved(new CheckpointResult("late", 10, "aa", "bb"), 0);
        host.Machine.Started(1, null, 0);
        host.Machine.Lose("a/0", "is gone", 0);
        Assert.False(host.Machine.Join(new AssignedWorker("d/0", 0, default, 1), 0));
        host.Drain();
        Assert.DoesNotContain(host.Events, happened => happened is RunEvent.CheckpointSaved);
        Assert.Equal("release", host.Done[^1]);
    }

    [Fact]
    public void A_cancelled_job_saves_first_and_says_where()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Order(new JobOrder("one", JobOrderKind.Cancel));
        host.Commit(host.First, 10);
        host.Drain();
        Assert.Equal(["save 10", "release"], host.Done[^2..]);
        Assert.Equal((JobState.Cancelled, "it was cancelled by order; step 10 is saved in /runs/one/10."), (host.Machine.State, host.Machine.Reason));
    }

    [Fact]
    public void An_order_told_again_is_acknowledged_and_one_that_comes_too_late_is_refused_with_how_the_job_ended()
    {
        var host = new MachineHost(new TrainingPlan { EvaluateEvery = 10, StopAfter = 5 });
        var save = new JobOrder("save", JobOrderKind.Save);
        host.Holds = command => command is JobCommand.Run;
        host.Begin();
        host.Machine.Order(save);
        host.Commit(host.First, 5);
        host.Drain();
        host.Machine.Order(save);

        ConvNetException error = Assert.Throws<ConvNetException>(() => host.Machine.Order(new JobOrder("other", JobOrderKind.StopAfter, 7)));

        Assert.Equal(ExitCode.Conflict, error.ExitCode);
        Assert.Contains("'job'", error.Message);
        Assert.Contains("stopped at step 5 of 25", error.Message);
    }

    [Theory]
    [InlineData(JobOrderKind.Stop)]
    [InlineData(JobOrderKind.Cancel)]
    public void A_job_that_waits_for_its_place_is_cancelled_at_once(JobOrderKind kind)
    {
        var host = new MachineHost();
        host.Machine.Order(JobOrder.Of(kind));
        Assert.Equal(JobState.Cancelled, host.Machine.State);
        Assert.True(host.Machine.HasEnded);
    }

    [Fact]
    public void A_worker_is_seen_only_in_the_current_generation_and_never_as_it_was_before()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        var status = new WorkerStatus("a/0", 0, 2, 5, 50, 0, 0, 0, 0) { Generation = 1 };
        MessageHeader header = host.First.HeaderOf(5, 0);
        Assert.Equal(Verdict.Accepted, host.Machine.WorkerSeen(header, status, 0).Verdict);
        Assert.Equal(Verdict.Duplicate, host.Machine.WorkerSeen(header, status with { Step = 4 }, 0).Verdict);
        Assert.Equal(Verdict.Stale, host.Machine.WorkerSeen(header with { Generation = 0 }, status, 0).Verdict);
        Assert.Equal(5, host.Machine.Workers.First().Step);
    }

    [Fact]
    public void A_job_of_which_nobody_hears_for_two_minutes_goes_back_once_and_says_where_its_workers_are()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.WorkerSeen(host.First.HeaderOf(0, 1), new WorkerStatus("b/0", 0, 0, 3, 0, 0, 0, 0, 0) { Phase = WorkerPhase.WaitingForPush }, 0);
        host.Machine.Tick(119);
        Assert.False(host.Machine.HasEnded);
        host.Machine.Tick(121);
        Assert.Equal(JobState.Queued, host.Machine.State);
        Assert.Contains("121 s", host.Machine.Reason);
        Assert.Contains("b/0 at step 3, WaitingForPush", host.Machine.Reason);
        Assert.EndsWith("the job goes back to where it began.", host.Machine.Reason);

        host.Now = 121;
        host.Drain();
        host.BeginAgain("a/0", "b/0");
        host.Machine.Tick(243);
        Assert.Equal((int)ExitCode.Environment, host.Machine.Failure!.ExitCode);
        Assert.Contains("122 s", host.Machine.Failure.Message);
    }
}
