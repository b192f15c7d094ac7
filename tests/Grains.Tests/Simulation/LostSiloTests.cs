using ConvNet.Grains.Contracts.Jobs;
using Xunit;
using static ConvNet.Grains.Tests.Simulation.SimulatedEvent;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Silos that serve and are lost at moments that matter: the job goes on from the step in progress, to the bits of a run without faults.</summary>
public class LostSiloTests
{
    private const int Partitions = 3;
    private const int Coordinator = Partitions + 1;

    private SimulatedCluster _cluster = Create(new TrainingPlan { EvaluateEvery = 7 });

    [Theory]
    [InlineData("server-00")]
    [InlineData("server-01")]
    [InlineData("server-02")]
    public void A_silo_that_is_lost_costs_the_step_in_progress(string silo)
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 1 });
        _cluster.Script.When<Pushed>(push => push is { Worker: 1, Partition: 1, Step: 3 }).Then(() => _cluster.KillSilo(silo));

        RunToTheSameBits();

        Assert.Equal([0, 3], _cluster.Grain.FirstSteps[..2]);
        Assert.Equal(1, _cluster.EventsOf<RunEvent.MembersChanged>()[0].StepsRepeated);
        Assert.Contains(_cluster.EventsOf<RunEvent.Warning>(), warning => warning.Message.Contains("is protected again", StringComparison.Ordinal));
    }

    [Fact]
    public void A_decision_that_only_one_server_has_taken_outlives_the_coordinator_that_made_it()
    {
        _cluster.Script.Lose<Committed>(commit => commit is { Server: not 1, Step: 3, Generation: 1 });
        _cluster.Script.When<Committed>(commit => commit is { Server: 1, Step: 3 }).Then(() => _cluster.KillSilo("server-00"));

        RunToTheSameBits();

        Assert.Equal(3, _cluster.Grain.FirstSteps[1]);
    }

    [Fact]
    public void A_step_that_a_lost_partition_has_committed_runs_again_for_its_standby()
    {
        _cluster.Script.When<Committed>(commit => commit is { Server: 1, Step: 3 }).Then(() => _cluster.KillSilo("server-01"));

        RunToTheSameBits();

        Assert.InRange(_cluster.Grain.FirstSteps[1], 3, 4);
    }

    [Fact]
    public void A_silo_that_is_lost_while_a_checkpoint_is_written_costs_no_step()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.When<Read>(read => read is { Server: 1 }).Then(() => _cluster.KillSilo("server-02"));

        RunToTheSameBits();

        Assert.Equal([3, 6, 7], _cluster.Checkpoints.Select(checkpoint => checkpoint.Position.Step).Distinct());
    }

    [Fact]
    public void A_second_silo_that_is_lost_when_the_standbys_are_there_again_costs_a_step_too()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 1 });
        _cluster.Script.When<Pushed>(push => push is { Partition: 1, Step: 2 }).Then(() => _cluster.KillSilo("server-01"));
        _cluster.Script.When<Committed>(commit => commit.Step >= 4 && _cluster.Machine.IsProtected).Then(() => _cluster.KillSilo("server-00"));

        RunToTheSameBits();

        Assert.Equal(2, _cluster.LostSilos.Count);
    }

    [Fact]
    public void A_second_silo_that_is_lost_before_that_takes_the_job_back_to_its_checkpoint()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.When<Pushed>(push => push is { Partition: 1, Step: 4 }).Then(() => _cluster.KillSilo("server-01"));
        _cluster.Script.When<Begun>(begun => begun is { Server: Coordinator, Generation: > 1 }).Then(() => _cluster.KillSilo("server-02"));

        RunToTheSameBits(goesBack: true);

        Assert.Contains("the job goes back to step 3", Assert.Single(_cluster.EventsOf<RunEvent.Yielded>()).Reason);
    }

    private static SimulatedCluster Create(TrainingPlan plan)
    {
        var model = new FakeModel(FakeJobs.All[0]);
        var layout = new Layout(3, Partitions, new NetworkFaults(0, 0, 3), Silos: 3);
        return new SimulatedCluster(
            model, layout, FakeState.Initial(model, model.Job.Optimizer), plan, seed: 1, FakeJobs.ReferenceOf(0));
    }

    private void RunToTheSameBits(bool goesBack = false)
    {
        FakeState end = _cluster.Run();
        Assert.Empty(_cluster.Complaints);
        Assert.Equal(goesBack ? 1 : 0, _cluster.EventsOf<RunEvent.Yielded>().Length);
        Assert.All(_cluster.EventsOf<RunEvent.MembersChanged>(), change => Assert.InRange(change.StepsRepeated, 0, 1));
        Assert.Equal(FakeJobs.ExpectedOf(0), FakeJobs.Hash(end, _cluster.Outcomes));
    }
}
