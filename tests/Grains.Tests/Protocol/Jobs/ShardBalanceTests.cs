using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

/// <summary>Three workers and twelve shards, whose paces a test gives as seconds for a shard.</summary>
public class ShardBalanceTests
{
    private readonly ShardBalance _balance = new(12);
    private readonly Dictionary<string, CompletedSteps> _done = [];
    private AssignedWorker[] _workers = [Named("a/0"), Named("b/0"), Named("c/0")];
    private Assignment _assignment;

    public ShardBalanceTests() => _assignment = Assign(1);

    [Fact]
    public void A_worker_that_takes_four_times_as_long_keeps_one_shard_and_gets_the_others_back_when_it_is_quick_again()
    {
        Work(20, 1, 1, 4);
        Assert.Equal("c/0 takes 4.0 times as long a shard as the others: it has 1 shard of 12 now, before 4", Move());
        Assert.Equal([6, 5, 1], Counts);

        Work(20, 1, 1, 1);
        Assert.Equal("c/0 takes 1.0 times as long a shard as the others: it has 4 shards of 12 now, before 1", Move());
        Assert.Equal([4, 4, 4], Counts);
    }

    [Fact]
    public void A_worker_that_is_as_good_as_halted_keeps_one_shard()
    {
        Work(20, 1, 1, 1e6);
        Move();
        Assert.Equal([6, 5, 1], Counts);
    }

    [Fact]
    public void Nothing_moves_for_less_than_fifteen_percent_of_a_step()
    {
        Work(20, 1, 1, 1.4);
        Assert.Null(Move());

        Work(20, 1, 1, 1.6);
        Assert.Contains("1.6 times", Move());
    }

    [Fact]
    public void What_a_step_takes_besides_computing_counts_as_part_of_it()
    {
        // 6 instead of 16 s of computing.
        WorkAndWait(20, 60, 1, 1, 4);
        Assert.Null(Move());
        WorkAndWait(20, 40, 1, 1, 4);
        Assert.NotNull(Move());
    }

    [Fact]
    public void Nothing_moves_before_every_worker_is_measured_over_twenty_steps_of_the_generation()
    {
        Work(19, 1, 1, 4);
        Assert.Null(Move());
        Work(1, 1, 1, 4);
        Assert.NotNull(Move());
        Work(19, 1, 1, 1);
        Assert.Null(Move());
        _balance.Measure(Status("d/0", default, 2));
        Assert.Null(_balance.Move(_assignment with { Workers = [.. _assignment.Workers, Named("d/0")] }));
    }

    [Fact]
    public void Workers_that_are_slow_by_turns_for_some_steps_move_nothing()
    {
        for (int turn = 0; turn < 30; turn++)
        {
            Work(4, turn % 3 == 0 ? 3 : 1, turn % 3 == 1 ? 3 : 1, turn % 3 == 2 ? 3 : 1);
            Assert.Null(Move());
        }
    }

    [Fact]
    public void Who_is_slow_whenever_it_has_its_shards_back_waits_for_them_longer_each_time()
    {
        var waits = new List<int>();
        for (int time = 0; time < 6; time++)
        {
            Work(20, 1, 1, 4);
            Assert.Contains("4.0 times", Move());
            int steps = 0;
            do
            {
                Work(20, 1, 1, 1);
                steps += 20;
            }
            while (Move() is null);
            waits.Add(steps);
            Assert.Equal([4, 4, 4], Counts);
        }

        Assert.Equal([20, 80, 320, 1280, 1280, 1280], waits);
    }

    [Fact]
    public void A_worker_that_looks_quicker_with_few_shards_than_those_with_many_gets_no_more_than_they()
    {
        Work(20, 1, 1, 4);
        Move();
        Work(20, 1, 1, 0.2);
        Move();
        Assert.Equal([4, 4, 4], Counts);
    }

    [Fact]
    public void A_quick_worker_gets_more_than_its_share()
    {
        Work(20, 3, 1, 3);
        Assert.Equal("b/0 takes 0.3 times as long a shard as the others: it has 8 shards of 12 now, before 4", Move());
        Assert.Equal([2, 8, 2], Counts);
    }

    [Fact]
    public void Those_who_stay_keep_their_weights_and_who_joins_counts_as_one_in_the_middle()
    {
        Work(20, 1, 1, 4);
        Move();
        _workers = [_workers[0], _workers[2], Named("d/0")];
        Assert.Equal([6, 1, 6], _balance.WeightsOf(_workers));
        _workers = [Named("a/0"), Named("c/0"), Named("b/0")];
        Assert.Equal([6, 1, 6], _balance.WeightsOf(_workers));
    }

    private int[] Counts => [.. _assignment.Workers.Select(worker => worker.Shards.Count)];

    private static AssignedWorker Named(string name) => new(name, 0, default, 1);

    private static WorkerStatus Status(string name, CompletedSteps done, long generation) =>
        new(name, 0, 1, 0, 0, 0, 0, 0, 0) { Completed = done, Generation = generation };

    private Assignment Assign(long generation)
    {
        ShardRange[] ranges = ShardAssignment.Assign(12, _balance.WeightsOf(_workers));
        return new Assignment(
            "job", "", generation, 0, [.. _workers.Zip(ranges, (worker, range) => worker with { Shards = range })], new ServerKeys([], "", "", ""));
    }

    private void Work(int steps, params double[] paces) => WorkAndWait(steps, 0, paces);

    private void WorkAndWait(int steps, double waits, params double[] paces)
    {
        for (int step = 0; step <= steps; step++)
        {
            foreach ((AssignedWorker worker, double pace) in _assignment.Workers.Zip(paces))
            {
                CompletedSteps done = _done.GetValueOrDefault(worker.Name);
                double seconds = worker.Shards.Count * pace;
                done = step == 0 ? done : new CompletedSteps(
                    done.Steps + 1, done.Shards + worker.Shards.Count, done.ComputeSeconds + seconds, done.Seconds + seconds + waits);
                _done[worker.Name] = done;
                _balance.Measure(Status(worker.Name, done, _assignment.Generation));
            }
        }
    }

    private string? Move()
    {
        string? reason = _balance.Move(_assignment);
        if (reason is not null)
        {
            _assignment = Assign(_assignment.Generation + 1);
        }

        return reason;
    }
}
