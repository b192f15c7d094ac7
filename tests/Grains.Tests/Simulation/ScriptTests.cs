using ConvNet.Grains.Contracts.Jobs;
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

    private SimulatedCluster _cluster = Create(new TrainingPlan { EvaluateEvery = 7 });

    [Fact]
    public void A_worker_that_dies_between_its_pushes_costs_the_step_in_progress()
    {
        _cluster.Script.When<Pushed>(push => push is { Worker: 1, Partition: 1, Step: 3 }).Then(() => _cluster.Kill(1));

        RunToTheSameBits();

        Assert.Equal([0, 3], _cluster.Grain.FirstSteps);
        RunEvent.MembersChanged change = Assert.Single(_cluster.EventsOf<RunEvent.MembersChanged>());
        Assert.Equal((2, 3, 2, 1), (change.Generation, change.Step, change.Workers, change.StepsRepeated));
        Assert.Equal(["node-1/0"], change.Lost);
        KeyValuePair<string, long>[] samples = _cluster.EventsOf<RunEvent.Completed>().Single().Summary.SamplesPerWorker;
        Assert.Equal(10 + 10 + 3 + 10 + 10 + 3 + 10, samples.Sum(worker => worker.Value));
        Assert.Equal(5 + 5 + 2, samples[1].Value);
    }

    [Fact]
    public void A_commit_that_reached_one_of_two_partitions_runs_again_for_the_other()
    {
        _cluster.Script.Lose<Committed>(commit => commit is { Server: 1, Step: 2, Generation: 1 } && _cluster.Generation == 1);
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Step: 2 }).Then(() => _cluster.Kill(0));

        RunToTheSameBits();

        Assert.Equal([0, 2], _cluster.Grain.FirstSteps);
        Assert.Equal(1, _cluster.Resends);
    }

    [Fact]
    public void A_commit_that_reached_no_server_runs_again_for_all()
    {
        _cluster.Script.Lose<Committed>(commit => commit is { Step: 2, Generation: 1 } && _cluster.Generation == 1);
        _cluster.Script.When<Pushed>(push => push is { Step: 2 }).Then(() => _cluster.Network.After(1_000, () => _cluster.Kill(2)));

        RunToTheSameBits();

        Assert.Equal([0, 2], _cluster.Grain.FirstSteps);
    }

    [Fact]
    public void A_freeze_that_is_repeated_late_stops_nobody()
    {
        FrozenAt? late = null;
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(2));
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Generation: 2, Step: 3 }).Then(
            () => late = _cluster.ServerAt(0).Freeze(new MessageHeader("job", 2, 0)));

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

        Assert.Equal([0, 1, 1], _cluster.Grain.FirstSteps);
    }

    [Fact]
    public void A_second_death_while_the_servers_freeze_starts_one_more_generation()
    {
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(0));
        _cluster.Script.When<Frozen>(frozen => frozen is { Server: BatchNorm, Generation: 2 }).Then(() => _cluster.Kill(1));

        RunToTheSameBits();

        Assert.Equal(3, _cluster.Generation);
    }

    [Fact]
    public void The_blocks_of_a_worker_that_dies_while_it_evaluates_are_evaluated_by_the_others()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 3 });
        _cluster.Script.When<Ordered>(order => order is { Worker: "node-1/0", UntilStep: -1 }).Then(() => _cluster.Kill(1));

        RunToTheSameBits();

        Assert.Equal([0, 3], _cluster.Grain.FirstSteps);
        Assert.Equal([3, 6, 7], _cluster.EventsOf<RunEvent.EpochCompleted>().Select(epoch => epoch.Evaluation.Step));
        Assert.Equal(0, Assert.Single(_cluster.EventsOf<RunEvent.MembersChanged>()).StepsRepeated);
    }

    [Fact]
    public void A_checkpoint_is_whole_when_a_worker_dies_while_it_is_read()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.Lose<Read>(read => read is { Server: 1 } && _cluster.Machine.MissingWorkers == 0);
        _cluster.Script.When<Read>(read => read is { Server: 0 }).Then(() => _cluster.Kill(1));
        _cluster.Script.When<Frozen>(_ => true).Then(() => Assert.Equal(3, _cluster.Grain.Pinned!.Position.Step));

        RunToTheSameBits();

        Assert.Equal(1, _cluster.Grain.Changes["lost while Saving"]);
        Assert.Equal([0, 3], _cluster.Grain.FirstSteps);
        Assert.Equal([3, 6, 7], _cluster.Checkpoints.Select(checkpoint => checkpoint.Position.Step));
    }

    [Fact]
    public void A_worker_that_joins_during_a_slice_works_from_the_next_one_on()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 }, joins: 1);
        _cluster.Script.Lose<Committed>(commit => commit is { Step: 1 } && _cluster.Machine.MissingWorkers > 0);
        _cluster.Script.When<Pushed>(push => push is { Step: 0 }).Then(_cluster.Grain.Offer);

        RunToTheSameBits();

        Assert.Equal(1, _cluster.Grain.Changes["joined while Running"]);
        Assert.Equal([0, 3], _cluster.Grain.FirstSteps);
        RunEvent.MembersChanged change = Assert.Single(_cluster.EventsOf<RunEvent.MembersChanged>());
        Assert.Equal(["node-3/0"], change.Joined);
        Assert.Equal((4, 0), (change.Workers, change.StepsRepeated));
    }

    [Fact]
    public void A_job_whose_workers_all_die_goes_on_with_one_that_joins()
    {
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => Enumerable.Range(0, Workers).ToList().ForEach(_cluster.Kill));

        RunToTheSameBits();

        RunEvent.MembersChanged change = Assert.Single(_cluster.EventsOf<RunEvent.MembersChanged>());
        Assert.Equal(["node-0/0", "node-1/0", "node-2/0"], change.Lost.Order());
        Assert.Equal(["node-3/0"], change.Joined);
        Assert.Equal((1, 1), (change.Step, change.Workers));
    }

    [Fact]
    public void A_slice_that_is_complete_without_the_jobs_knowledge_does_not_run_twice()
    {
        bool runsAgain = false;
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.Lose<Told>(told => told is { Step: 3, Generation: 1 } && _cluster.Machine.Assignment!.Generation == 1);
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Step: 2 }).Then(() => _cluster.Network.After(100, () => _cluster.Kill(0)));
        _cluster.Script.When<Pushed>(push => push is { Step: < 3, Generation: > 1 }).Then(() => runsAgain = true);

        RunToTheSameBits();

        Assert.False(runsAgain);
        Assert.Equal([0, 3], _cluster.Grain.FirstSteps);
    }

    [Fact]
    public void A_slice_that_is_complete_before_the_change_is_leads_to_what_follows_it()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.Lose<Told>(told => told is { Step: 3, Generation: 1 } && _cluster.Generation == 1);
        _cluster.Script.Lose<Prepared>(prepared => prepared is { Generation: 2 } && _cluster.Machine.Step < 3);
        _cluster.Script.When<Committed>(commit => commit is { Server: 0, Step: 2 }).Then(() => _cluster.Network.After(100, () => _cluster.Kill(0)));

        RunToTheSameBits();

        Assert.Equal([3, 6, 7], _cluster.Checkpoints.Select(checkpoint => checkpoint.Position.Step));
    }

    [Fact]
    public void A_stop_that_is_ordered_three_times_ends_the_job_once()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        var stop = new JobOrder("stop", JobOrderKind.Stop);
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Grain.Order(stop));
        _cluster.Script.When<Pushed>(push => push is { Worker: 1, Step: 2 }).Then(() => _cluster.Grain.Order(stop));
        _cluster.Script.When<Read>(_ => true).Then(() => _cluster.Grain.Order(stop));

        _cluster.Run();

        Assert.Empty(_cluster.Complaints);
        Assert.Equal((JobState.Stopped, 3), (_cluster.Machine.State, _cluster.Machine.Step));
        Assert.Single(_cluster.EventsOf<RunEvent.Stopped>());
        Assert.Single(_cluster.Checkpoints);
    }

    [Fact]
    public void A_job_whose_client_is_lost_during_a_change_is_saved_and_freed_and_ends_in_the_same_bits_when_it_is_taken_up()
    {
        _cluster = Create(new TrainingPlan { EvaluateEvery = 7, SaveEvery = 3 });
        _cluster.Script.When<Pushed>(push => push is { Worker: 0, Step: 1 }).Then(() => _cluster.Kill(2));
        _cluster.Script.When<Frozen>(frozen => frozen is { Server: BatchNorm, Generation: 2 }).Then(_cluster.Grain.LoseClient);

        RunToTheSameBits();

        RunEvent.Yielded orphaned = Assert.Single(_cluster.EventsOf<RunEvent.Yielded>());
        Assert.Equal((3, JobState.Orphaned), (orphaned.Step, orphaned.State));
        Assert.Equal(3, Assert.Single(_cluster.EventsOf<RunEvent.Resumed>()).Step);
    }

    private static SimulatedCluster Create(TrainingPlan plan, int joins = 0)
    {
        var model = new FakeModel(FakeJobs.All[0]);
        var start = FakeState.Initial(model, model.Job.Optimizer);
        var layout = new Layout(Workers, Partitions, new NetworkFaults(0, 0, 3), Joins: joins);
        return new SimulatedCluster(model, layout, start, plan, seed: 1, FakeJobs.ReferenceOf(0));
    }

    private void RunToTheSameBits()
    {
        FakeState end = _cluster.Run();
        Assert.Empty(_cluster.Complaints);
        Assert.Equal(FakeJobs.ExpectedOf(0), FakeJobs.Hash(end, _cluster.Outcomes));
    }
}
