using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job leaves silos that are being stopped.</summary>
public class JobMachineDrainTests
{
    private readonly MachineHost _host = new() { Holds = command => command is JobCommand.Run };

    public JobMachineDrainTests() => _host.Begin();

    [Fact]
    public void A_worker_whose_silo_is_stopped_finishes_the_slice_and_no_step_is_repeated()
    {
        Withdraw("b/0");
        Withdraw("b/0");
        Assert.Equal(["start 1 at 0 with a/0 b/0 c/0"], _host.Done);
        Assert.Equal(0, _host.Machine.MissingWorkers);

        GoOn();

        Assert.Equal(["dismiss b/0", "freeze 2", "start 2 at 10 with a/0 c/0", "evaluate 10"], _host.Done[1..5]);
        RunEvent.MembersChanged change = Assert.Single(_host.Changes);
        Assert.Equal(("b/0", 0, "b/0 has left, as its silo was stopped"), (Assert.Single(change.Lost), change.StepsRepeated, change.Reason));
        Assert.Equal(JobState.Completed, _host.Machine.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_silo_tells_until_it_is_done_is_kept_once(bool isVacated)
    {
        Action tell = isVacated ? () => _host.Machine.Vacate("a silo is stopped") : () => _host.Machine.EndSaved("a silo is stopped");
        tell();
        long revision = _host.Machine.Revision;
        tell();
        Assert.Equal(revision, _host.Machine.Revision);
    }

    [Fact]
    public void A_worker_that_dies_before_it_can_leave_is_lost_once()
    {
        Withdraw("b/0");
        _host.Machine.Lose("b/0", "is gone", 0);
        _host.Holds = _ => false;
        _host.Drain();

        RunEvent.MembersChanged change = Assert.Single(_host.Changes);
        Assert.Equal(("b/0", 1, "b/0 is gone"), (Assert.Single(change.Lost), change.StepsRepeated, change.Reason));
    }

    [Fact]
    public void A_worker_that_waits_to_join_is_dismissed_at_once()
    {
        var host = new MachineHost { Holds = command => command is JobCommand.Run };
        host.Begin(asked: 4);
        Assert.True(host.Machine.Join(new AssignedWorker("d/0", 0, default, 1), 0));
        host.Machine.Withdraw("d/0", "has left");
        host.Drain();

        Assert.Equal("dismiss d/0", host.Done[^1]);
        Assert.Equal(1, host.Machine.MissingWorkers);
    }

    [Fact]
    public void A_job_whose_workers_all_leave_saves_and_goes_back_to_the_queue()
    {
        Withdraw("a/0");
        Withdraw("b/0");
        Withdraw("c/0");
        GoOn();

        Assert.Equal(["save 10", "release"], _host.Done[1..]);
        Assert.True(_host.Machine.WantsPlace);
        Assert.Equal(
            "a/0 has left, as its silo was stopped; b/0 has left, as its silo was stopped; c/0 has left, as its silo was stopped; " +
            "step 10 is saved in /runs/one/10.",
            _host.Machine.Reason);
    }

    [Fact]
    public void A_job_whose_servers_silo_is_stopped_saves_goes_back_to_the_queue_and_goes_on_elsewhere()
    {
        _host.Machine.Vacate("silo 's' was stopped");
        _host.Machine.Vacate("silo 's' was stopped");
        GoOn();

        Assert.Equal(["save 10", "release"], _host.Done[1..]);
        Assert.Equal(
            (JobState.Queued, true, "silo 's' was stopped; step 10 is saved in /runs/one/10."),
            (_host.Machine.State, _host.Machine.WantsPlace, _host.Machine.Reason));
        _host.BeginAgain("d/0");
        Assert.Equal("start 2 at 10 with d/0", _host.Done[3]);
        Assert.Equal(JobState.Completed, _host.Machine.State);
        Assert.Single(_host.Events.OfType<RunEvent.Yielded>());
    }

    [Fact]
    public void A_job_whose_own_silo_is_stopped_saves_and_fails_with_what_to_do()
    {
        _host.Machine.EndSaved("silo 's' was stopped");
        _host.Machine.EndSaved("silo 's' was stopped");
        GoOn();

        Assert.Equal(["save 10", "release"], _host.Done[1..]);
        Assert.Equal(
            new JobFailure((int)ExitCode.Environment, "silo 's' was stopped; step 10 is saved in /runs/one/10; resume the run."), _host.Machine.Failure);
    }

    [Fact]
    public void A_job_that_waits_and_whose_own_silo_is_stopped_fails_at_once()
    {
        var host = new MachineHost();
        host.Machine.EndSaved("silo 's' was stopped");

        Assert.Equal("silo 's' was stopped before the job began; submit it again.", host.Machine.Failure?.Message);
    }

    private void Withdraw(string worker) => _host.Machine.Withdraw(worker, "has left, as its silo was stopped");

    /// <summary>The slice ends, and all that follows is done.</summary>
    private void GoOn()
    {
        _host.Holds = _ => false;
        _host.Commit(_host.First, 10);
        _host.Drain();
    }
}
