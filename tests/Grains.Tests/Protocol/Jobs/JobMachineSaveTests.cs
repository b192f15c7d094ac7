using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public sealed class JobMachineSaveTests
{
    private const string Full = "/runs/one/10: cannot be written: No space left on device.";

    private readonly MachineHost _host = new(new TrainingPlan { EvaluateEvery = 25, SaveEvery = 5 }) { Holds = command => command is JobCommand.Write };

    private IEnumerable<string> Warnings => _host.Events.OfType<RunEvent.Warning>().Select(warning => warning.Message);

    private JobCommand.Write Last => Assert.IsType<JobCommand.Write>(_host.Held[^1]);

    [Fact]
    public void The_job_trains_on_while_a_checkpoint_is_written_and_what_is_kept_of_it_is_of_the_version_that_was_pinned()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        Assert.Equal(["start 1 at 0 with a/0 b/0 c/0", "save 5"], _host.Done);
        Assert.Equal((JobState.Running, 10), (_host.Machine.State, _host.Machine.UntilStep));
        _host.Commit(_host.First, 8);

        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);

        Assert.Equal((JobState.Running, 8, 5), (_host.Machine.State, _host.Machine.Step, _host.Machine.Checkpoint!.Step));
        _host.Machine.LoseServers("a silo is lost");
        Assert.Equal(5, _host.Machine.Step);
    }

    [Fact]
    public void A_checkpoint_that_is_due_waits_two_seconds_for_the_one_before_and_is_taken_after_it_while_the_training_goes_on()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        RunOn();
        Assert.Equal((JobState.Saving, 10), (_host.Machine.State, _host.Machine.Step));
        Tick(1);
        Assert.Equal(JobState.Saving, _host.Machine.State);
        Tick(1.5);
        Assert.Equal((JobState.Running, 15), (_host.Machine.State, _host.Machine.UntilStep));

        RunOn();
        Assert.Equal((JobState.Running, 20), (_host.Machine.State, _host.Machine.UntilStep));
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        _host.Machine.Order(new JobOrder("now", JobOrderKind.Save));
        _host.Commit(_host.First, 20);
        _host.Drain();
        Assert.Equal("save 20", _host.Done[^1]);
    }

    [Fact]
    public void Who_waits_for_the_checkpoint_before_takes_the_next_one_as_soon_as_that_is_written()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        _host.Drain();
        Assert.Equal("save 10", _host.Done[^1]);
        Assert.Equal(10, _host.Held.OfType<JobCommand.Write>().Last().Step);
    }

    [Fact]
    public void A_disk_that_does_not_take_a_checkpoint_costs_a_warning_while_an_older_one_is_there_and_it_is_tried_again_after_half_a_minute()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        RunOn();
        _host.Machine.NotSaved(10, Full, _host.Now);
        Assert.Equal(
            $"the checkpoint of step 10 could not be written: {Full} The training goes on, and a checkpoint is tried again every 30 s; " +
            "step 5 is kept in /runs/one/5.",
            Warnings.Single());
        Assert.Equal(JobState.Running, _host.Machine.State);
        RunOn();
        Assert.Equal((JobState.Running, 20), (_host.Machine.State, _host.Machine.UntilStep));

        _host.Now += 31;
        _host.Commit(_host.First, 20);
        _host.Drain();
        Assert.Equal("save 20", _host.Done[^1]);
        _host.Machine.NotSaved(20, Full, _host.Now);
        Assert.Single(Warnings);
    }

    [Fact]
    public void A_disk_that_is_slow_and_then_full_is_told_of_as_both()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        RunOn();
        Tick(31);
        _host.Machine.NotSaved(10, Full, _host.Now);

        Assert.Equal(2, Warnings.Count());
        Assert.Contains("is not written after 31 s: the disk is slow", Warnings.First());
        Assert.Contains(Full, Warnings.Last());
    }

    [Fact]
    public void Who_leads_a_job_on_knows_who_computed_what_until_each_checkpoint_that_may_be_gone_back_to()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(10), _host.Now);
        var next = new MachineHost(new TrainingPlan { EvaluateEvery = 25, SaveEvery = 5 });
        next.Machine.Recover(_host.Machine.Record(), "another silo leads it", next.Now);
        next.Machine.LoseServers("a silo is lost");
        next.Drain();

        next.Machine.PassOver(new WholeCheckpoint(MachineHost.CheckpointOf(5), JobPosition.Start with { Step = 5 }, []), "step 10 is damaged.");

        Assert.Equal(5, next.Machine.Step);
        Assert.Equal(10 * 5, next.Machine.Record().Samples.Sum(worker => worker.Value));
    }

    [Fact]
    public void A_first_checkpoint_whose_writer_is_lost_is_pinned_again_at_the_next_rest_and_harms_nothing()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.LoseWrite(5, "its silo is gone.", _host.Now);
        Assert.Empty(Warnings);
        Assert.Equal((JobState.Running, false), (_host.Machine.State, _host.Machine.IsWriting(5)));

        RunOn();

        Assert.Equal("save 10", _host.Done[^1]);
        Assert.True(_host.Machine.IsWriting(10));
    }

    [Fact]
    public void Writers_that_are_lost_one_after_the_other_are_like_a_disk_that_is_full()
    {
        _host.Begin();
        for (int lost = 0; lost < 4; lost++)
        {
            Assert.True(_host.Machine.IsWriting(Last.Step));
            _host.Machine.LoseWrite(Last.Step, "silo 'a' does not see it.", _host.Now);
            _host.Drain();
        }

        Assert.Contains("could not be written: silo 'a' does not see it. It is tried again for 60 s", Warnings.Single());
    }

    [Fact]
    public void A_disk_that_does_not_take_the_first_checkpoint_ends_the_job()
    {
        _host.Begin();
        _host.Machine.NotSaved(Last.Step, Full, _host.Now);
        Assert.Equal((JobState.Failed, ExitCode.Resources), (_host.Machine.State, (ExitCode)_host.Machine.Failure!.ExitCode));
        Assert.Equal($"the checkpoint of step 5 could not be written: {Full} There is no older one.", _host.Machine.Reason);
    }

    [Fact]
    public void A_job_that_was_resumed_has_an_older_checkpoint_from_the_start()
    {
        var host = new MachineHost(new TrainingPlan { SaveEvery = 5 }, startStep: 10) { Holds = command => command is JobCommand.Write };
        host.Begin();
        host.Machine.NotSaved(15, Full, host.Now);
        Assert.Equal(JobState.Running, host.Machine.State);
        Assert.EndsWith("; the checkpoint of step 10 is kept.", host.Events.OfType<RunEvent.Warning>().Single().Message);
    }

    [Theory]
    [InlineData(JobOrderKind.Stop)]
    [InlineData(JobOrderKind.Cancel)]
    [InlineData(JobOrderKind.Pause)]
    public void A_job_that_ends_tries_for_a_minute_to_save_and_then_fails_and_says_what_is_kept(JobOrderKind order)
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        _host.Machine.Order(new JobOrder("end", order));
        RunOn();
        double start = _host.Now;
        for (int tries = 0; _host.Machine.State == JobState.Saving; tries++)
        {
            Assert.True(tries < 100, "it tries for ever");
            _host.Machine.NotSaved(10, Full, _host.Now);
            Tick(2.5);
        }

        Assert.Equal((JobState.Failed, ExitCode.Resources), (_host.Machine.State, (ExitCode)_host.Machine.Failure!.ExitCode));
        Assert.InRange(_host.Now - start, 60, 70);
        Assert.StartsWith($"the checkpoint of step 10 could not be written: {Full} It was tried for 6", _host.Machine.Reason);
        Assert.EndsWith(" s; step 5 is kept in /runs/one/5.", _host.Machine.Reason);
        Assert.EndsWith("It is tried again for 60 s; step 5 is kept in /runs/one/5.", Warnings.Single());
    }

    [Fact]
    public void A_job_that_ends_as_soon_as_the_disk_has_room_again_ends_as_it_was_to()
    {
        HoldRunsToo();
        _host.Begin();
        _host.Machine.Order(new JobOrder("end", JobOrderKind.Stop));
        RunOn();
        _host.Machine.NotSaved(5, Full, _host.Now);
        Tick(2.5);
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        Assert.Equal(JobState.Stopped, _host.Machine.State);
    }

    [Fact]
    public void A_job_that_is_to_end_waits_for_what_is_being_written_and_saves_what_is_newer()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Commit(_host.First, 7);
        _host.Machine.Order(new JobOrder("end", JobOrderKind.Stop));
        RunOn();
        Tick(20);
        Assert.Equal(JobState.Saving, _host.Machine.State);
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        _host.Drain();
        _host.Machine.Saved(MachineHost.CheckpointOf(10), _host.Now);
        Assert.Equal((JobState.Stopped, 10), (_host.Machine.State, _host.Machine.Checkpoint!.Step));
    }

    [Fact]
    public void A_slow_disk_is_told_of_once()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        Tick(31);
        Tick(31);
        Assert.Equal(
            "the checkpoint of step 5 is not written after 31 s: the disk is slow, or does not answer; the training goes on, and no checkpoint is kept.",
            Warnings.Single());
    }

    [Fact]
    public void What_is_being_written_is_not_wanted_when_the_job_has_gone_back_or_ended_and_what_comes_late_changes_nothing()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        Assert.True(_host.Machine.IsWriting(5));
        Assert.False(_host.Machine.IsWriting(10));
        _host.Machine.LoseServers("a silo is lost");
        Assert.False(_host.Machine.IsWriting(5));
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        _host.Machine.NotSaved(5, Full, _host.Now);
        Assert.Equal((0, null, JobState.Queued), (_host.Machine.Step, _host.Machine.Checkpoint, _host.Machine.State));
        Assert.Empty(Warnings);

        _host.Machine.Fail(new JobFailure(5, "it is over."));
        Assert.False(_host.Machine.IsWriting(5));
    }

    [Fact]
    public void A_generation_that_changes_while_a_checkpoint_is_written_does_not_disturb_it()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Lose("c/0", "is gone", _host.Now);
        _host.Drain();
        Assert.Equal(2, _host.Machine.Generation);
        Assert.True(_host.Machine.IsWriting(5));
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        Assert.Equal((JobState.Running, 5), (_host.Machine.State, _host.Machine.Checkpoint!.Step));
    }

    [Fact]
    public void Who_leads_the_job_on_saves_at_once_what_the_one_before_was_writing()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        var next = new MachineHost(new TrainingPlan { EvaluateEvery = 25, SaveEvery = 5 }) { Holds = command => command is JobCommand.Run or JobCommand.Write };
        next.Machine.Recover(_host.Machine.Record(), "its silo was lost", 0);
        Assert.False(next.Machine.IsWriting(5));
        next.Drain();
        Assert.Equal("save 5", next.Done[^1]);
    }

    [Fact]
    public void A_job_that_goes_back_passes_over_a_damaged_checkpoint_with_a_warning_and_counts_from_the_one_before()
    {
        HoldRunsToo();
        _host.Begin();
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(5), _host.Now);
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(10), _host.Now);
        _host.Machine.LoseServers("a silo is lost");
        _host.Drain();
        Assert.Equal(10, _host.Machine.Step);

        _host.Machine.PassOver(new WholeCheckpoint(MachineHost.CheckpointOf(5), JobPosition.Start with { Step = 5 }, []), "step 10 is damaged.");
        Assert.Equal("step 10 is damaged. The job goes back to step 5, which is kept in /runs/one/5.", Warnings.Single());
        Assert.Equal((5, 5), (_host.Machine.Step, _host.Machine.Checkpoint!.Step));
        _host.BeginAgain("a/0", "b/0", "c/0");
        RunOn();
        Assert.Equal("save 10", _host.Done[^1]);
        _host.Machine.Order(new JobOrder("end", JobOrderKind.Stop));
        _host.Machine.Saved(MachineHost.CheckpointOf(10), _host.Now);
        RunOn();
        _host.Machine.Saved(MachineHost.CheckpointOf(_host.Machine.Step), _host.Now);
        RunEvent.Stopped end = _host.Events.OfType<RunEvent.Stopped>().Single();
        Assert.Equal(10 * _host.Machine.Step, end.Summary.SamplesPerWorker.Sum(worker => worker.Value));
    }

    private void HoldRunsToo() => _host.Holds = command => command is JobCommand.Write or JobCommand.Run;

    /// <summary>The slice under way is done.</summary>
    private void RunOn()
    {
        _host.Commit(_host.Machine.Assignment!, _host.Machine.UntilStep);
        _host.Drain();
    }

    private void Tick(double seconds)
    {
        _host.Now += seconds;
        _host.Machine.Tick(_host.Now);
        _host.Drain();
    }
}
