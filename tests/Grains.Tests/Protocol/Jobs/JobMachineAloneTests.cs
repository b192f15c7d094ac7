using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>What a job does that has lost every worker.</summary>
public class JobMachineAloneTests
{
    private const string Lost = "the job was without workers for 31 s at step 4 (a/0 has left the cluster with its silo)";
    private const string Saved = "step 4 is saved in /runs/one/4";

    private static readonly AssignedWorker Free = new("d/0", 0, default, 1);

    [Fact]
    public void An_attached_job_saves_what_is_new_and_ends_with_what_to_do()
    {
        MachineHost host = AloneAtStep4("a/0");
        host.Machine.Tick(host.Now + 29);
        host.Drain();
        Assert.Equal(["dismiss a/0"], host.Done);
        Assert.Equal((JobState.Running, "waits for a worker: a/0 has left the cluster with its silo."), (host.Machine.State, host.Machine.Reason));

        host.Machine.Tick(host.Now + 31);
        host.Drain();

        Assert.Equal(["dismiss a/0", "save 4", "release"], host.Done);
        Assert.Equal(new JobFailure((int)ExitCode.Environment, $"{Lost}; {Saved}; resume the run."), host.Machine.Failure);
    }

    [Fact]
    public void A_detached_job_saves_what_is_new_and_goes_back_to_the_queue()
    {
        MachineHost host = AloneAtStep4("a/0");
        host.Machine.IsDetached = true;
        host.Machine.Tick(host.Now + 31);
        host.Drain();

        Assert.Equal(["dismiss a/0", "save 4", "release"], host.Done);
        Assert.True(host.Machine.WantsPlace);
        Assert.Equal($"{Lost}; {Saved}.", Assert.Single(host.Events.OfType<RunEvent.Yielded>()).Reason);
        host.BeginAgain("d/0");
        Assert.Equal(JobState.Completed, host.Machine.State);
    }

    [Fact]
    public void Workers_that_are_lost_at_once_leave_the_servers_as_they_are()
    {
        MachineHost host = AloneAtStep4("a/0", "a/1");
        Assert.Equal(["dismiss a/0", "dismiss a/1"], host.Done);
        Assert.Equal(1, host.Machine.Generation);

        host.Machine.Tick(host.Now + 31);
        host.Drain();

        Assert.Equal(["save 4", "release"], host.Done[2..]);
        Assert.EndsWith($"; {Saved}; resume the run.", host.Machine.Failure!.Message);
    }

    [Fact]
    public void An_order_to_end_waits_for_no_worker()
    {
        MachineHost host = AloneAtStep4("a/0");
        host.Machine.Order(new JobOrder("1", JobOrderKind.Cancel));
        host.Machine.Tick(host.Now + 4);
        host.Drain();
        Assert.Equal(["dismiss a/0"], host.Done);

        host.Machine.Tick(host.Now + 6);
        host.Drain();

        Assert.Equal((JobState.Cancelled, $"it was cancelled by order; {Saved}."), (host.Machine.State, host.Machine.Reason));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Servers_that_have_promised_a_generation_cannot_be_saved(bool isDetached)
    {
        MachineHost host = Running("a/0", "b/0");
        host.Machine.IsDetached = isDetached;
        host.Holds = command => command is JobCommand.Run or JobCommand.Start;
        host.Machine.Lose("b/0", "is gone", host.Now);
        host.Drain();
        host.Machine.Lose("a/0", "is gone, too", host.Now);
        host.Machine.Tick(host.Now + 31);
        host.Drain();

        const string Reason = "the job was without workers for 31 s at step 4 (a/0 is gone, too); ";
        Assert.Equal(
            isDetached
                ? $"{Reason}the job goes back to where it began."
                : $"{Reason}at step 4 there was nothing new to save, and what came after it is lost; resume the run.",
            host.Machine.Reason);
    }

    [Fact]
    public void A_worker_that_joins_while_the_job_saves_does_not_keep_it()
    {
        MachineHost host = AloneAtStep4("a/0");
        host.Holds = command => command is JobCommand.Save;
        host.Machine.Tick(host.Now + 31);
        host.Drain();
        Assert.True(host.Machine.Join(Free, host.Now));
        host.Machine.Tick(host.Now + 32);
        host.Do(host.Held.Single());
        host.Drain();

        Assert.Equal(["dismiss a/0", "save 4", "release"], host.Done);
    }

    private static MachineHost AloneAtStep4(params string[] workers)
    {
        MachineHost host = Running(workers);
        foreach (string worker in workers)
        {
            host.Machine.Lose(worker, "has left the cluster with its silo", host.Now);
        }

        host.Drain();
        return host;
    }

    private static MachineHost Running(params string[] workers)
    {
        var host = new MachineHost(null, 0, workers) { Holds = command => command is JobCommand.Run };
        host.Begin();
        host.Commit(host.First, 4);
        host.Held.Clear();
        host.Done.Clear();
        host.Holds = _ => false;
        return host;
    }
}
