using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job is led on by another silo while the one that has led it stays.</summary>
public class JobMachineHandOnTests
{
    private readonly MachineHost _host = new(new TrainingPlan { EvaluateEvery = 10, SaveEvery = 5 })
    {
        Holds = command => command is JobCommand.Run or JobCommand.Write,
    };

    public JobMachineHandOnTests() => _host.Begin();

    [Fact]
    public void A_job_rests_at_the_end_of_its_slice_and_who_leads_it_on_repeats_no_step()
    {
        _host.Machine.HandOn();
        Assert.False(_host.Machine.IsHeld(_host.Now));
        Save(5);
        Assert.True(_host.Machine.IsHeld(_host.Now));
        Assert.Equal(["start 1 at 0 with a/0 b/0 c/0", "save 5"], _host.Done);

        var next = new MachineHost();
        next.Machine.Recover(_host.Machine.Record(), JobGrain.WhyLedOn("d", before: "a", isThere: true), next.Now);
        next.Drain();

        RunEvent.MembersChanged change = Assert.Single(next.Changes);
        Assert.Equal(("the job is led by silo 'd' now, as silo 'a' has handed it on", 5, 0), (change.Reason, change.Step, change.StepsRepeated));
        Assert.Equal(JobState.Completed, next.Machine.State);
    }

    [Fact]
    public void A_checkpoint_that_takes_long_to_be_written_holds_a_job_up_for_two_seconds()
    {
        _host.Machine.HandOn();
        _host.Commit(_host.First, 5);
        _host.Drain();
        Assert.False(_host.Machine.IsHeld(_host.Now + 1.9));
        Assert.True(_host.Machine.IsHeld(_host.Now + 2.1));
        Assert.Equal("save 5", _host.Done[^1]);
    }

    [Fact]
    public void A_job_that_nobody_else_can_lead_goes_on()
    {
        _host.Machine.HandOn();
        Save(5);
        _host.Holds = _ => false;
        _host.Machine.LeadOn(_host.Now);
        _host.Drain();

        Assert.Equal(JobState.Completed, _host.Machine.State);
        Assert.Empty(_host.Changes);
    }

    [Fact]
    public void A_job_that_waits_for_its_place_can_be_led_on_at_once()
    {
        var waiting = new MachineHost();
        Assert.False(waiting.Machine.IsHeld(0));
        waiting.Machine.HandOn();
        Assert.True(waiting.Machine.IsHeld(0));
    }

    [Fact]
    public void What_is_to_be_led_on_is_kept_first()
    {
        long before = _host.Machine.Revision;
        _host.Machine.HandOn();
        long told = _host.Machine.Revision;
        _host.Machine.HandOn();
        Assert.Equal((before + 1, told), (told, _host.Machine.Revision));
        Save(5);
        Assert.True(_host.Machine.Revision > told + 1);
        Assert.Equal(5, _host.Machine.Record().Reached.Position.Step);
    }

    [Fact]
    public void A_job_that_is_held_and_that_nobody_takes_is_known_to_be()
    {
        _host.Machine.HandOn();
        Assert.False(_host.Machine.IsHeldForLong(_host.Now + 20));
        Save(5);
        Assert.False(_host.Machine.IsHeldForLong(_host.Now + 14));
        Assert.True(_host.Machine.IsHeldForLong(_host.Now + 16));
    }

    [Fact]
    public void A_job_without_workers_is_not_led_on_before_it_has_saved_what_is_new()
    {
        var host = new MachineHost(null, 0, "a/0") { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Commit(host.First, 8);
        host.Machine.HandOn();
        host.Machine.Lose("a/0", "has left the cluster with its silo", host.Now);
        host.Drain();
        Assert.False(host.Machine.IsHeld(host.Now + 3));
        host.Machine.HandOn();
        Assert.False(host.Machine.HandsOn);
        host.Machine.IsDetached = true;
        host.Machine.Tick(host.Now + 31);
        host.Drain();

        Assert.Contains("save 8", host.Done);
        host.Machine.HandOn();
        Assert.True(host.Machine.IsHeld(host.Now));
    }

    private void Save(long step)
    {
        _host.Commit(_host.First, step);
        _host.Drain();
        _host.Machine.Saved(MachineHost.CheckpointOf(step), _host.Now);
        _host.Drain();
    }
}
