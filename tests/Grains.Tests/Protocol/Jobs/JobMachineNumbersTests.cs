using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>What a job does about values that cannot be trusted.</summary>
public class JobMachineNumbersTests
{
    private static readonly StepFinding Again = new(null, null, "step 4 is computed once more.");
    private static readonly StepFinding Wrong = new("b/0", "has computed wrongly", "worker b/0 has computed wrongly.");

    [Fact]
    public void A_step_that_is_computed_once_more_runs_with_every_part_at_the_next_worker()
    {
        MachineHost host = Running();
        host.Commit(host.First, 4);

        Assert.Equal(Verdict.Accepted, host.Machine.Found(host.First.HeaderOf(4), Again, host.Now).Verdict);
        Assert.Equal(Verdict.Stale, host.Machine.Found(host.First.HeaderOf(4), Again, host.Now).Verdict);
        host.Holds = command => command is JobCommand.Run;
        host.Drain();

        Assert.Equal(["freeze 2", "start 2 at 4 with b/0 c/0 a/0"], host.Done[^2..]);
        Assert.Equal(host.First.Workers.Select(worker => worker.Shards), host.Machine.Assignment!.Workers.Select(worker => worker.Shards));
        Assert.Equal((4, 10), (((JobCommand.Run)host.Held[^1]).FirstStep, ((JobCommand.Run)host.Held[^1]).UntilStep));
        Assert.Equal(Again.Warning, Assert.Single(host.Events.OfType<RunEvent.Warning>()).Message);
        host.Commit(host.Machine.Assignment, 10);
        Assert.Empty(host.Changes);
    }

    [Fact]
    public void A_worker_that_is_proved_wrong_is_taken_out_for_good()
    {
        MachineHost host = Running();
        host.Commit(host.First, 4);

        host.Machine.Found(host.First.HeaderOf(4), Wrong, host.Now);
        host.Holds = command => command is JobCommand.Run;
        host.Drain();
        host.Commit(host.Machine.Assignment!, 10);

        Assert.Equal(["dismiss b/0", "freeze 2", "start 2 at 4 with a/0 c/0"], host.Done[^3..]);
        Assert.Equal(["b/0"], host.Machine.Expelled);
        Assert.Equal(1, host.Machine.MissingWorkers);
        Assert.Equal(Wrong.Warning, Assert.Single(host.Events.OfType<RunEvent.Warning>()).Message);
        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal("b/0 has computed wrongly", change.Reason);
        Assert.Equal(1, change.StepsRepeated);
    }

    [Fact]
    public void A_worker_that_is_taken_out_after_a_repetition_is_told_once()
    {
        MachineHost host = Running();
        host.Holds = command => command is JobCommand.Run;
        host.Machine.Found(host.First.HeaderOf(0), Again, host.Now);
        host.Drain();
        host.Machine.Found(host.Machine.Assignment!.HeaderOf(0), Wrong, host.Now);
        host.Drain();
        host.Commit(host.Machine.Assignment!, 10);

        Assert.Equal(3, host.Machine.Generation);
        Assert.Equal("b/0 has computed wrongly", Assert.Single(host.Changes).Reason);
    }

    [Fact]
    public void A_worker_that_contradicts_itself_is_taken_out_once()
    {
        MachineHost host = Running();
        host.Machine.Expel("c/0", "contradicts itself", "worker c/0 contradicts itself.", host.Now);
        host.Machine.Expel("c/0", "contradicts itself", "worker c/0 contradicts itself.", host.Now);
        host.Drain();

        Assert.Equal(2, host.Machine.Generation);
        Assert.Single(host.Events.OfType<RunEvent.Warning>());
    }

    [Fact]
    public void A_job_that_waits_for_a_worker_runs_the_step_again_anyway()
    {
        MachineHost host = Running("a/0");
        host.Machine.Lose("a/0", "is gone", host.Now);

        Assert.Equal((true, 1), (host.Machine.IsWithoutWorkers, host.Machine.Generation));
        Assert.Equal(Verdict.Stale, host.Machine.Found(host.First.HeaderOf(0), Again, host.Now).Verdict);
    }

    private static MachineHost Running(params string[] workers)
    {
        var host = new MachineHost(null, 0, workers) { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Held.Clear();
        return host;
    }
}
