using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job goes on from its record, led by another machine.</summary>
public class JobMachineRecordTests
{
    [Fact]
    public void Who_leads_a_job_on_takes_no_rows_before_it_has_those_of_all_steps()
    {
        MachineHost host = LedOn();

        Answer early = host.Commit(host.First, 6);
        Start(host, Reached(8));

        Assert.Equal(Verdict.Stale, early.Verdict);
        Assert.Equal(Enumerable.Range(0, 8), host.Machine.Rows.Since(0).Select(row => (int)row.Step));
        Assert.Equal(8, host.Machine.Step);
    }

    [Fact]
    public void Rows_are_taken_even_if_the_record_knew_of_their_steps()
    {
        MachineHost host = LedOn();

        Start(host, Reached(4));

        Assert.Equal(Enumerable.Range(0, 4), host.Machine.Rows.Since(0).Select(row => (int)row.Step));
    }

    [Fact]
    public void The_loss_of_who_led_the_job_is_told_with_the_time_of_its_silence_and_since_the_last_step()
    {
        MachineHost host = LedOn();
        Start(host, Reached(8) with { RestSeconds = 2.5, SilenceSeconds = 3.25 });
        host.Holds = _ => false;
        host.Drain();

        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal("another silo leads it", change.Reason);
        Assert.Equal((3.25, 2.5 + 1.5), (change.NoticedSeconds, change.GapSeconds));
    }

    /// <summary>In a machine that has heard of four steps from the record, and waits for its servers to freeze.</summary>
    private static MachineHost LedOn()
    {
        var before = new MachineHost { Holds = command => command is JobCommand.Run };
        before.Begin();
        before.Commit(before.First, 4);
        var host = new MachineHost { Holds = command => command is JobCommand.Freeze };
        host.Machine.Recover(before.Machine.Record(), "another silo leads it", host.Now);
        host.Drain();
        return host;
    }

    private static void Start(MachineHost host, StepProgress reached)
    {
        long generation = host.Machine.Generation;
        var at = new FrozenAt(Verdict.Accepted, reached.Position.Step);
        host.Machine.Frozen(generation, at, [at, at, at]);
        host.Machine.TakeCommands();
        host.Machine.Started(generation, reached, host.Now);
    }

    private static StepProgress Reached(int step) => new()
    {
        Position = new JobPosition(step, step, 0, default),
        Recent = [.. Enumerable.Range(0, step).Select(done => new StepRow(done, 1, 0.5, 0.1, 2, 0.01))],
    };
}
