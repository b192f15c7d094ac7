using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobMachineOrphanTests
{
    private const string Saved = "its client was silent for 10 s; step 10 is saved in /runs/one/10.";

    [Fact]
    public void A_job_without_a_client_saves_what_is_new_touches_no_other_checkpoint_and_frees_its_workers()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run or JobCommand.Write };
        host.Begin();
        host.Machine.LoseClient(10);
        host.Machine.LoseClient(11);
        host.Commit(host.First, 10);
        host.Drain();
        JobCommand.Write write = Assert.IsType<JobCommand.Write>(host.Held[^1]);
        host.Do(write);
        host.Drain();

        Assert.Null(write.Retention);
        Assert.Equal(["save 10", "release"], host.Done[^2..]);
        Assert.Equal((JobState.Orphaned, Saved, false), (host.Machine.State, host.Machine.Reason, host.Machine.HasEnded));
        Assert.Equal(new RunEvent.Yielded(10, JobState.Orphaned, Saved), host.Events.Last());
        Assert.False(host.Machine.WantsPlace);
    }

    [Fact]
    public void Whoever_takes_an_orphaned_job_up_gets_it_a_place_again_and_its_own_folder_in_the_last_event()
    {
        MachineHost host = Orphaned();
        host.Machine.RunFolder = "/runs/two";
        host.Machine.TakeUp();
        Assert.True(host.Machine.WantsPlace);
        Assert.True(host.Machine.TakesFewer);
        host.Holds = _ => false;
        host.BeginAgain("d/0");
        Assert.False(host.Machine.TakesFewer);

        Assert.Equal(JobState.Completed, host.Machine.State);
        Assert.Equal("/runs/two", Assert.IsType<RunEvent.Completed>(host.Events.Last()).Folder);
        Assert.Contains("start 2 at 10 with d/0", host.Done);
    }

    /// <summary>Nor does it wait for all its workers when another silo leads it on meanwhile.</summary>
    [Fact]
    public void A_job_that_takes_the_workers_that_are_left_does_so_again_when_one_is_lost_before_it_has_started()
    {
        MachineHost host = Orphaned();
        host.Machine.TakeUp();
        host.Holds = command => command is JobCommand.Start;
        host.BeginAgain("d/0", "e/0");
        var other = new MachineHost();
        other.Machine.Recover(host.Machine.Record(), "its silo is gone", 0);
        other.Machine.Released();
        Assert.True(other.Machine.TakesFewer);

        host.Machine.Lose("d/0", "is gone", host.Now);
        host.Drain();
        Assert.True(host.Machine.WantsPlace);
        Assert.True(host.Machine.TakesFewer);
        host.Holds = command => command is JobCommand.Run;
        host.BeginAgain("e/0");
        Assert.False(host.Machine.TakesFewer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_job_that_has_not_saved_yet_or_has_a_client_is_not_taken_up(bool isLost)
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        if (isLost)
        {
            host.Machine.LoseClient(10);
        }

        ConvNetException refused = Assert.Throws<ConvNetException>(host.Machine.TakeUp);
        Assert.Equal(ExitCode.Conflict, refused.ExitCode);
        Assert.Contains(isLost ? "is still running at step 0 of 25: it saves what is new first" : "is not orphaned: it is running", refused.Message);
    }

    [Theory]
    [InlineData(JobOrderKind.Stop)]
    [InlineData(JobOrderKind.StopAfter)]
    [InlineData(JobOrderKind.Save)]
    [InlineData(JobOrderKind.Pause)]
    [InlineData(JobOrderKind.Abandon)]
    public void Orders_of_a_client_that_was_lost_are_stale(JobOrderKind kind)
    {
        MachineHost host = Orphaned();
        ConvNetException refused = Assert.Throws<ConvNetException>(() => host.Machine.Order(JobOrder.Of(kind, 5)));
        Assert.Contains("as its client was silent for 10 s", refused.Message);
        Assert.Equal((JobState.Orphaned, Saved), (host.Machine.State, host.Machine.Reason));
    }

    [Fact]
    public void An_orphaned_job_is_resumed_or_cancelled_by_whoever_wants()
    {
        MachineHost resumed = Orphaned();
        resumed.Machine.Order(JobOrder.Of(JobOrderKind.Resume));
        Assert.True(resumed.Machine.WantsPlace);

        MachineHost cancelled = Orphaned();
        cancelled.Machine.Order(JobOrder.Of(JobOrderKind.Cancel));
        Assert.Equal(
            (JobState.Cancelled, "it was cancelled by order; step 10 is saved in /runs/one/10."), (cancelled.Machine.State, cancelled.Machine.Reason));
    }

    [Fact]
    public void A_paused_job_whose_client_is_lost_goes_on_when_it_is_taken_up()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.Order(JobOrder.Of(JobOrderKind.Pause));
        host.Commit(host.First, 10);
        host.Drain();
        host.Machine.LoseClient(10);
        Assert.Equal((JobState.Orphaned, Saved), (host.Machine.State, host.Machine.Reason));
        host.Machine.TakeUp();
        Assert.True(host.Machine.WantsPlace);
    }

    [Fact]
    public void A_job_that_has_no_place_yet_is_orphaned_at_once()
    {
        var host = new MachineHost();
        host.Machine.LoseClient(10);
        Assert.Equal((JobState.Orphaned, "its client was silent for 10 s, before the job began."), (host.Machine.State, host.Machine.Reason));
        host.Machine.TakeUp();
        Assert.True(host.Machine.WantsPlace);
    }

    [Fact]
    public void A_job_that_nobody_takes_up_is_stopped_and_names_its_checkpoint()
    {
        MachineHost host = Orphaned();
        host.Machine.GiveUp(60);

        Assert.Equal(JobState.Stopped, host.Machine.State);
        Assert.Equal(
            "its client was silent for 10 s, and nobody has taken it up for 60 minutes; step 10 is saved in /runs/one/10.", host.Machine.Reason);
        Assert.Equal("/runs/one/10", Assert.IsType<RunEvent.Stopped>(host.Events.Last()).Summary.Checkpoint);
        Assert.Contains("is not orphaned: it is stopped", Assert.Throws<ConvNetException>(host.Machine.TakeUp).Message);
    }

    [Fact]
    public void Another_machine_waits_on_for_somebody_to_take_the_job_up()
    {
        MachineHost host = Orphaned();
        var other = new MachineHost();
        other.Machine.Recover(host.Machine.Record(), "its silo is gone", 0);
        other.Machine.GiveUp(1);
        Assert.Equal(JobState.Stopped, other.Machine.State);

        other = new MachineHost();
        other.Machine.Recover(host.Machine.Record(), "its silo is gone", 0);
        Assert.Throws<ConvNetException>(() => other.Machine.Order(JobOrder.Of(JobOrderKind.Pause)));
        other.Machine.TakeUp();
        other.Holds = command => command is JobCommand.Run;
        other.BeginAgain("e/0");
        Assert.Contains("start 102 at 10 with e/0", other.Done);
    }

    private static MachineHost Orphaned()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Machine.LoseClient(10);
        host.Commit(host.First, 10);
        host.Drain();
        return host;
    }
}
