using ConvNet.Grains.Contracts.Messages;
using Xunit;
using static ConvNet.Grains.Tests.Simulation.SimulatedEvent;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Single faults at moments that matter, each of which must end in the bits of a run without faults.</summary>
public class ScriptTests
{
    private const int Workers = 3;
    private const int Partitions = 2;
    private const int BatchNorm = Partitions;

    private readonly SimulatedCluster _cluster;

    public ScriptTests()
    {
        var model = new FakeModel(FakeJobs.All[0]);
        FakeState start = FakeState.Initial(model, model.Job.Optimizer);
        _cluster = new SimulatedCluster(model, new Layout(Workers, Partitions, new NetworkFaults(0, 0, 3)), start, model.Job.Shape.TotalSteps, seed: 1);
    }

    [Fact]
    public void A_worker_that_dies_between_its_pushes_costs_the_step_in_progress()
    {
        _cluster.Script.When<Pushed>(push => push is { Worker: 1, Partition: 1, Step: 3 }).Then(() => _cluster.Kill(1));

        RunToTheSameBits();

        Assert.Equal([0, 3], _cluster.FirstSteps);
    }

    [Fact]
    public void A_commit_that_reached_one_of_two_partitions_runs_again_for_the_other()
    {
        _cluster.Script.Lose<Committed>(commit => commit is { Server: 1, Step: 2, Generation: 1 } && _cluster.Generation == 1);
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Step: 2 }).Then(() => _cluster.Kill(0));

        RunToTheSameBits();

        Assert.Equal([0, 2], _cluster.FirstSteps);
        Assert.Equal(1, _cluster.Resends);
    }

    [Fact]
    public void A_commit_that_reached_no_server_runs_again_for_all()
    {
        _cluster.Script.Lose<Committed>(commit => commit is { Step: 2, Generation: 1 } && _cluster.Generation == 1);
        _cluster.Script.When<Pushed>(push => push is { Step: 2 }).Then(() => _cluster.Network.After(1_000, () => _cluster.Kill(2)));

        RunToTheSameBits();

        Assert.Equal([0, 2], _cluster.FirstSteps);
    }

    [Fact]
    public void A_freeze_that_is_repeated_late_stops_nobody()
    {
        FrozenAt? late = null;
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(2));
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Generation: 2, Step: 3 }).Then(
            () => late = _cluster.Partitions[0].Freeze(new MessageHeader("job", 2, 0)));

        RunToTheSameBits();

        Assert.Equal(FrozenAt.Not(Verdict.Stale), late);
        Assert.Equal(2, _cluster.Generation);
    }

    [Fact]
    public void A_begin_that_is_overtaken_by_the_next_change_has_no_effect()
    {
        _cluster.Script.Lose<Begun>(begun => begun is { Server: 1, Generation: 2 } && _cluster.Generation == 2);
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(2));
        _cluster.Script.When<Begun>(begun => begun is { Server: 0, Generation: 2 }).Then(() => _cluster.Network.After(100, () => _cluster.Kill(1)));

        RunToTheSameBits();

        Assert.Equal([0, 1, 1], _cluster.FirstSteps);
    }

    [Fact]
    public void A_second_death_while_the_servers_freeze_starts_one_more_generation()
    {
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(0));
        _cluster.Script.When<Frozen>(frozen => frozen is { Server: BatchNorm, Generation: 2 }).Then(() => _cluster.Kill(1));

        RunToTheSameBits();

        Assert.Equal(3, _cluster.Generation);
    }

    private void RunToTheSameBits()
    {
        FakeState end = _cluster.Run();
        Assert.Empty(_cluster.Complaints);
        Assert.Equal(FakeJobs.ExpectedOf(0), FakeJobs.Hash(end, _cluster.Outcomes));
    }
}
