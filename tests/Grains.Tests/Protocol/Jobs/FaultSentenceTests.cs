using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>What people read of each kind of fault: who, what, since when, what is done. Tests of the views pin the frame around a change.</summary>
public class FaultSentenceTests
{
    private const string Gone = "silo 's' has left the cluster while the job was running at step 14, and with it the job's partition 0";

    private readonly MachineHost _host = new() { Holds = command => command is JobCommand.Run };
    private readonly SiloPulses _pulses = new();

    public FaultSentenceTests()
    {
        _host.Begin();
        _pulses.Watch(["b"], 0);
    }

    [Fact]
    public void A_worker_that_is_killed()
    {
        _pulses.Refused("b", called: 0.2, now: 0.3);
        _pulses.Refused("b", called: 0.4, now: 0.5);

        Assert.Equal("b/0 cannot be connected any more, and has not answered for 0.6 s", ReasonOfLoss(0.6));
    }

    [Fact]
    public void A_worker_that_is_frozen()
    {
        _pulses.Heard("b", 1);
        Assert.Equal("b/0 has not answered for 3.1 s", ReasonOfLoss(4.1));
    }

    [Fact]
    public void A_worker_that_is_drained_and_one_that_joins()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin(asked: 4);
        host.Machine.Withdraw("b/0", "has left, as its silo was stopped");
        Assert.True(host.Machine.Join(new AssignedWorker("d/0", 0, default, 1), host.Now));
        host.Commit(host.First, 10);
        host.Drain();
        host.Commit(host.Machine.Assignment!, 20);

        RunEvent.MembersChanged change = Assert.Single(host.Changes);
        Assert.Equal(["b/0"], change.Lost);
        Assert.Equal(["d/0"], change.Joined);
        Assert.Equal("b/0 has left, as its silo was stopped; d/0 was free", change.Reason);
        Assert.Equal((10, 3, 0), (change.Step, change.Workers, change.StepsRepeated));
    }

    [Fact]
    public void A_silo_that_leads_the_job_and_is_lost()
    {
        _host.Commit(_host.First, 4);
        var next = new MachineHost { Holds = command => command is JobCommand.Run };
        next.Machine.Recover(_host.Machine.Record(), JobGrain.WhyLedOn("d", before: "a", isThere: false), next.Now);
        next.Drain();
        next.Commit(next.Machine.Assignment!, 10);

        RunEvent.MembersChanged change = Assert.Single(next.Changes);
        Assert.Equal(("the job is led by silo 'd' now, as silo 'a' is gone", 4, 3), (change.Reason, change.Step, change.Workers));
        Assert.Empty(change.Lost);
    }

    [Fact]
    public void A_silo_that_leads_the_job_and_is_started_again() =>
        Assert.Equal("silo 'a', which leads the job, was started again", JobGrain.WhyLedOn("a", before: "a", isThere: true));

    [Fact]
    public void A_silo_with_servers_that_does_not_answer_and_then_is_lost()
    {
        GoOnFromCheckpoint10();
        _host.Machine.WarnOfSilence("s", "has not answered for 3.1 s", ["partition 0", "batch norms"]);
        _host.Machine.LoseServers(Gone);

        Assert.Equal(
            "silo 's' has not answered for 3.1 s; the job waits for its partition 0, batch norms at step 14.",
            Assert.Single(_host.Events.OfType<RunEvent.Warning>()).Message);
        RunEvent.Yielded back = Assert.Single(_host.Events.OfType<RunEvent.Yielded>());
        Assert.Equal((JobState.Queued, $"{Gone}; the job goes back to step 10, which is saved in /runs/one/10."), (back.State, back.Reason));
    }

    [Fact]
    public void A_client_that_is_gone()
    {
        GoOnFromCheckpoint10();
        _host.Machine.LoseClient(10.2);
        _host.Commit(_host.Machine.Assignment!, 20);
        _host.Drain();

        Assert.Equal((JobState.Orphaned, "its client was silent for 10 s; step 20 is saved in /runs/one/20."), (_host.Machine.State, _host.Machine.Reason));
    }

    [Fact]
    public void A_store_that_comes_back_without_its_data()
    {
        GoOnFromCheckpoint10();
        _host.Machine.EndSaved("the job's record has vanished from the cluster's store, which has come back without its data");
        _host.Commit(_host.Machine.Assignment!, 20);
        _host.Drain();

        Assert.Equal(
            "the job's record has vanished from the cluster's store, which has come back without its data; step 20 is saved in /runs/one/20; resume the run.",
            _host.Machine.Failure!.Message);
    }

    [Fact]
    public void A_worker_that_contradicts_itself()
    {
        const string Sent = "worker b/0 pushed chunk 3, tree node 1 of step 4 twice with different bytes";
        _host.Machine.ExpelContradicting("b/0", $"{Sent}.", _host.Now);
        _host.Drain();
        _host.Commit(_host.Machine.Assignment!, 10);

        Assert.Equal(
            $"worker b/0 contradicts itself ({Sent}); its machine may be faulty: the job goes on without it, and takes it no more.",
            Assert.Single(_host.Events.OfType<RunEvent.Warning>()).Message);
        Assert.Equal($"b/0 contradicts itself ({Sent})", Assert.Single(_host.Changes).Reason);
    }

    /// <summary>The job loses the worker whose silo is lost by now, at step 4.</summary>
    private string ReasonOfLoss(double now)
    {
        _host.Commit(_host.First, 4);
        (string silo, string reason) = Assert.Single(_pulses.Lost(now));
        _host.Machine.Lose($"{silo}/0", reason, now);
        _host.Drain();
        _host.Commit(_host.Machine.Assignment!, 10);
        RunEvent.MembersChanged change = Assert.Single(_host.Changes);
        Assert.Equal((4, 2, 1, 1.5), (change.Step, change.Workers, change.StepsRepeated, change.GapSeconds));
        Assert.Equal(["b/0"], change.Lost);
        return change.Reason;
    }

    private void GoOnFromCheckpoint10()
    {
        _host.Commit(_host.First, 10);
        _host.Drain();
        _host.Commit(_host.Machine.Assignment!, 14);
    }
}
