using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>How a job takes shards from a worker that is slow.</summary>
public class JobMachineBalanceTests
{
    private readonly MachineHost _host = new() { Holds = command => command is JobCommand.Run };

    public JobMachineBalanceTests() => _host.Begin();

    [Fact]
    public void Shards_move_when_the_slice_is_done_and_no_step_is_repeated()
    {
        Measure(slow: 4);
        Assert.Empty(_host.Machine.TakeCommands());
        Finish();

        Assert.Equal(["freeze 2", "start 2 at 10 with a/0 b/0 c/0", "evaluate 10"], _host.Done[2..5]);
        RunEvent.MembersChanged change = Assert.Single(_host.Changes);
        Assert.Equal((2, 10, 3, 0), (change.Generation, change.Step, change.Workers, change.StepsRepeated));
        Assert.Empty(change.Lost);
        Assert.Empty(change.Joined);
        Assert.Equal("c/0 takes 4.0 times as long a shard as the others: it has 1 shard of 6 now, before 2", change.Reason);
        Assert.Equal([3, 2, 1], _host.Machine.Workers.Select(worker => worker.EndShard - worker.FirstShard));
        KeyValuePair<string, long>[] samples = _host.Events.OfType<RunEvent.Completed>().Single().Summary.SamplesPerWorker;
        Assert.Equal(250, samples.Sum(worker => worker.Value));
        Assert.True(samples[0].Value > samples[2].Value);
    }

    [Fact]
    public void A_loss_while_shards_move_is_told_with_the_move()
    {
        Measure(slow: 4);
        _host.Holds = command => command is JobCommand.Freeze;
        _host.Do(_host.Held.Single());
        _host.Drain();
        _host.Machine.Lose("a/0", "is gone", 0);
        _host.Holds = _ => false;
        _host.Drain();

        RunEvent.MembersChanged change = Assert.Single(_host.Changes);
        Assert.Equal(["a/0"], change.Lost);
        Assert.StartsWith("c/0 takes 4.0 times", change.Reason);
        Assert.EndsWith("; a/0 is gone", change.Reason);
        Assert.Equal([4, 2], _host.Machine.Workers.Select(worker => worker.EndShard - worker.FirstShard));
    }

    [Fact]
    public void Nothing_moves_while_all_take_equally_long()
    {
        Measure(slow: 1);
        Finish();

        Assert.Empty(_host.Changes);
        Assert.Equal(1, _host.Machine.Generation);
    }

    [Fact]
    public void A_job_that_takes_another_place_forgets_who_was_slow()
    {
        Measure(slow: 4);
        _host.Do(_host.Held[^1]);
        _host.Drain();
        Assert.Single(_host.Machine.Workers, worker => worker.EndShard - worker.FirstShard == 1);
        _host.Machine.Vacate("a silo was stopped");
        _host.Do(_host.Held[^1]);
        _host.Drain();
        Assert.True(_host.Machine.WantsPlace);
        _host.BeginAgain("a/0", "b/0", "c/0");
        _host.Machine.Lose("a/0", "is gone", 0);
        _host.Holds = _ => false;
        _host.Drain();

        Assert.Equal([3, 3], _host.Machine.Workers.Select(worker => worker.EndShard - worker.FirstShard));
    }

    /// <summary>All are seen often enough to be measured; the last one takes so many times as long.</summary>
    private void Measure(double slow)
    {
        for (int sight = 0; sight <= 5; sight++)
        {
            foreach ((AssignedWorker worker, double pace) in _host.First.Workers.Zip([1, 1, slow]))
            {
                double seconds = 8 * sight * pace;
                var status = new WorkerStatus(worker.Name, worker.Shards.First, worker.Shards.End, 4 * sight, 0, 0, 0, 0, 0)
                {
                    Generation = 1,
                    Completed = new CompletedSteps(4 * sight, 8 * sight, seconds, seconds),
                };
                Assert.Equal(Verdict.Accepted, _host.Machine.WorkerSeen(_host.First.HeaderOf(0), status, _host.Now).Verdict);
            }
        }
    }

    private void Finish()
    {
        _host.Holds = _ => false;
        _host.Do(_host.Held[^1]);
        _host.Drain();
    }
}
