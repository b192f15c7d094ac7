using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobMachineStandbyTests
{
    private static readonly ServerKeys Doubled = ServerRoles.WithStandbys(
        new ServerKeys(["a/job/0", "b/job/1"], "b/job", "a/job", "a/job"), ["a", "b", "c"]);

    private readonly List<JobCommand> _commands = [];
    private readonly MachineHost _host = new(null, 0, "a/0", "b/0", "c/0");
    private readonly Assignment _first;
    private readonly JobMachine _machine;

    public JobMachineStandbyTests()
    {
        _machine = _host.Machine;
        _first = _host.First with { Servers = Doubled };
        _machine.Begin(JobPosition.Start, _first, 3, 0);
        _machine.Started(1, null, 0);
        _machine.TakeCommands();
        _host.Commit(_first, 4);
    }

    [Fact]
    public void Each_server_has_its_standby_on_the_next_silo() =>
        Assert.Equal(["b/job/0", "c/job/1", "c/job", "b/job"], Doubled.Standbys.Select(standby => standby!.Key));

    [Fact]
    public void A_lost_silo_costs_its_worker_and_its_servers_in_one_change_and_their_standbys_serve()
    {
        _machine.LoseSilo("b", "has left the cluster", 1);

        JobCommand.Freeze freeze = Assert.Single(Take<JobCommand.Freeze>());
        Assert.Equal(2, freeze.Header.Generation);
        Assert.Equal(["a/job/0", "c/job/1"], freeze.Servers.Partitions);
        Assert.Equal(("c/job", "a/job"), (freeze.Servers.BatchNorm, freeze.Servers.Coordinator));
        Assert.All(freeze.Servers.Standbys, Assert.Null);
        FrozenAt at = new(Verdict.Accepted, 4);
        _machine.Frozen(2, at, [at, at with { Version = 5, Last = Last(4) }, at]);
        Assignment next = Assert.Single(Take<JobCommand.Start>()).Assignment;
        Assert.Equal((4, "a/0 c/0"), (next.FirstStep, string.Join(' ', next.Workers.Select(worker => worker.Name))));
        Assert.Equal(4, next.Missed!.Step);
        Assert.Contains("not protected until partition 0, partition 1, batch norm, coordinator have standbys", Assert.Single(Warnings()));
    }

    [Fact]
    public void A_lost_standby_is_left_out_and_the_servers_stay()
    {
        _machine.LoseSilo("c", "has left the cluster", 1);

        ServerKeys next = Assert.Single(Take<JobCommand.Freeze>()).Servers;
        Assert.Equal((Doubled.BatchNorm, Doubled.Coordinator), (next.BatchNorm, next.Coordinator));
        Assert.Equal(["b/job/0", null, null, "b/job"], next.Standbys.Select(standby => standby?.Key));
    }

    [Fact]
    public void Servers_without_a_standby_take_the_job_back_to_its_checkpoint()
    {
        _machine.LoseSilo("b", "has left the cluster", 1);
        _machine.LoseSilo("c", "has left the cluster", 1);

        Assert.Equal(JobState.Queued, _machine.State);
        Assert.Contains("silo 'c' has left the cluster while the job was running at step 4, and with it the job's partition 1, batch norm", _machine.Reason);
    }

    [Fact]
    public void A_standby_that_holds_only_a_part_takes_the_job_back_to_its_checkpoint()
    {
        _machine.LoseSilo("b", "has left the cluster", 1);
        FrozenAt at = new(Verdict.Accepted, 4);
        _machine.Frozen(2, at, [at, FrozenAt.Not(new Answer(Verdict.Rejected, "the standby was copied in part only.")), at]);

        Assert.Equal(JobState.Queued, _machine.State);
        Assert.Contains("in part only", _machine.Reason);
    }

    [Fact]
    public void The_standby_of_a_server_that_has_lost_its_state_goes_on_in_its_place()
    {
        _machine.Lose("c/0", "is silent", 1);
        Assert.Equal("a/job/0", Assert.Single(Take<JobCommand.Freeze>()).Servers.Partitions[0]);
        FrozenAt at = new(Verdict.Accepted, 4);
        FrozenAt forgetful = FrozenAt.Not(new Answer(Verdict.Rejected, "it holds no state of job 'job': its silo has restarted."));

        _machine.Frozen(2, forgetful, [forgetful, at, at], [at, at, null, at]);

        ServerKeys next = Assert.Single(Take<JobCommand.Start>()).Assignment.Servers;
        Assert.Equal(["b/job/0", "b/job/1"], next.Partitions);
        Assert.Equal(("b/job", "b/job"), (next.BatchNorm, next.Coordinator));
        Assert.Equal([null, "c/job/1", null, null], next.Standbys.Select(standby => standby?.Key));
        Assert.StartsWith("partition 0 on silo 'a', coordinator on silo 'a' hold no state of the job any more", Assert.Single(Warnings()));
    }

    [Fact]
    public void New_standbys_begin_at_a_rest_and_the_job_tells_when_all_are_there()
    {
        _machine.LoseSilo("c", "has left the cluster", 1);
        Assert.Single(Take<JobCommand.Freeze>());
        FrozenAt at = new(Verdict.Accepted, 4);
        _machine.Frozen(2, at, [at, at, at], [at, null, null, at]);
        Assignment second = Assert.Single(Take<JobCommand.Start>()).Assignment;
        Assert.Equal([4L, null, null, 4L], second.Servers.Standbys.Select(standby => standby?.Version));
        _machine.Started(2, null, 2);
        Assert.True(_machine.WantsStandbys);
        _machine.OfferStandbys(ServerRoles.WithStandbys(_machine.Servers!, ["a", "b", "d"]));
        Assert.False(_machine.WantsStandbys);
        JobCommand.Run run = Take<JobCommand.Run>().Last();

        _machine.Progress(second.HeaderOf(run.UntilStep), new StepProgress { Position = new JobPosition(run.UntilStep, 4, 0, default) }, 3);
        ServerKeys third = Assert.Single(Take<JobCommand.Freeze>()).Servers;
        Assert.Equal(["b/job/0", "d/job/1", "d/job", "b/job"], third.Standbys.Select(standby => standby!.Key));
        foreach (int server in Enumerable.Range(0, 4))
        {
            Assert.Equal(Verdict.Accepted, _machine.Protected(new MessageHeader("job", 3, 0), server).Verdict);
        }

        Assert.True(_machine.IsProtected && _machine.CanLose("a") && _machine.CanLose("b"));
        Assert.Contains("is protected again", Warnings().Last());
        Assert.Equal(Verdict.Stale, _machine.Protected(new MessageHeader("job", 2, 0), 0).Verdict);
    }

    [Fact]
    public void A_silo_that_is_lost_again_is_told_of_again()
    {
        foreach (int generation in new[] { 2, 4 })
        {
            _machine.LoseSilo("c", "has left the cluster", generation);
            FrozenAt at = new(Verdict.Accepted, _machine.Step);
            _machine.Frozen(generation, at, [at, at, at], [at, null, null, at]);
            _machine.Started(generation, null, generation);
            _machine.OfferStandbys(ServerRoles.WithStandbys(_machine.Servers!, ["a", "b", "c"]));
            Rest();
            at = new(Verdict.Accepted, _machine.Step);
            _machine.Frozen(generation + 1, at, [at, at, at], [at, at, at, at]);
            _machine.Started(generation + 1, null, generation + 1);
            foreach (int server in Enumerable.Range(0, 4))
            {
                _machine.Protected(new MessageHeader("job", generation + 1, 0), server);
            }
        }

        Assert.Equal([true, false, true], Warnings().Select(warning => warning.Contains("not protected until", StringComparison.Ordinal)));
    }

    [Fact]
    public void Standbys_on_a_silo_that_is_being_stopped_are_elsewhere_after_the_next_rest()
    {
        _machine.MoveStandbys(ServerRoles.WithoutStandbys(Doubled, "c"));
        Assert.Empty(Take<JobCommand.Freeze>());
        Assignment first = _machine.Assignment!;

        _machine.Progress(first.HeaderOf(_machine.UntilStep), new StepProgress { Position = new JobPosition(_machine.UntilStep, 4, 0, default) }, 3);

        Assert.Equal(["b/job/0", null, null, "b/job"], Assert.Single(Take<JobCommand.Freeze>()).Servers.Standbys.Select(standby => standby?.Key));
    }

    [Fact]
    public void Servers_on_a_silo_that_is_being_stopped_hand_over_at_the_next_rest()
    {
        ServerKeys next = ServerRoles.WithStandbys(ServerRoles.Without(Doubled, "a")!, ["b", "c"]);
        Protect();
        _machine.HandOver("a", next);
        Rest();

        ServerKeys servers = Assert.Single(Take<JobCommand.Freeze>()).Servers;
        Assert.Equal(next.ByRole, servers.ByRole);
        Assert.DoesNotContain(servers.All, key => PinnedKey.SiloOf(key) == "a");
        Assert.Empty(Take<JobCommand.Release>());
    }

    [Fact]
    public void Nothing_is_handed_over_to_standbys_that_are_not_ready()
    {
        _machine.HandOver("a", ServerRoles.WithStandbys(ServerRoles.Without(Doubled, "a")!, ["b", "c"]));
        Rest();
        Assert.Empty(Take<JobCommand.Freeze>());
    }

    [Fact]
    public void Nothing_is_handed_over_to_a_standby_that_was_lost_meanwhile()
    {
        Protect();
        _machine.HandOver("a", ServerRoles.WithStandbys(ServerRoles.Without(Doubled, "a")!, ["b", "c"]));
        _machine.LoseSilo("b", "has left the cluster", 1);

        ServerKeys servers = Assert.Single(Take<JobCommand.Freeze>()).Servers;
        Assert.Equal(("a/job/0", "a/job"), (servers.Partitions[0], servers.Coordinator));
    }

    [Fact]
    public void A_failed_call_of_a_server_freezes_all_where_a_standby_could_go_on()
    {
        var failure = new JobFailure((int)ExitCode.Environment, "it holds no state of job 'job'.");
        _machine.FailServer(failure, 1);
        Assert.Equal(2, Assert.Single(Take<JobCommand.Freeze>()).Header.Generation);

        _machine.FailServer(failure, 1);

        Assert.Equal(JobState.Queued, _machine.State);
        Assert.StartsWith("it holds no state of job 'job'; the job goes back to ", _machine.Reason);
    }

    [Fact]
    public void A_disk_that_does_not_take_the_last_checkpoint_while_servers_change_does_not_end_the_job()
    {
        WriteLast();
        _machine.LoseSilo("c", "has left the cluster", 1);

        _machine.NotSaved(10, "the disk is full.", 1);

        Assert.False(_machine.HasEnded);
        Assert.Contains("It is tried again for 60 s", Warnings().Last());
    }

    [Fact]
    public void A_job_whose_last_worker_goes_with_standbys_ends_when_its_last_checkpoint_is_written()
    {
        WriteLast();
        _machine.Lose("a/0", "is gone", 1);
        _machine.Lose("b/0", "is gone", 1);
        _machine.LoseSilo("c", "has left the cluster", 1);

        _machine.Saved(MachineHost.CheckpointOf(10), 2);
        _machine.Tick(7);

        Assert.Equal(JobState.Stopped, _machine.State);
    }

    private void WriteLast()
    {
        _machine.Order(JobOrder.Of(JobOrderKind.Stop));
        _host.Commit(_first, 10);
        Assert.Single(Take<JobCommand.Save>());
        _machine.Pinned(1);
        Assert.True(_machine.IsWriting(10));
    }

    [Fact]
    public void A_job_that_goes_back_takes_the_workers_that_are_left()
    {
        Assert.False(_machine.TakesFewer);
        _machine.LoseSilo("b", "has left the cluster", 1);
        _machine.LoseSilo("c", "has left the cluster", 1);
        Assert.True(_machine.TakesFewer);
    }

    [Fact]
    public void A_server_that_cannot_reach_its_standby_goes_on_without()
    {
        Assert.Equal(Verdict.Accepted, _machine.LoseStandby(new MessageHeader("job", 1, 0), 1, "has failed", 1).Verdict);
        Assert.Null(Assert.Single(Take<JobCommand.Freeze>()).Servers.StandbyOf(1));
        Assert.Equal(Verdict.Stale, _machine.LoseStandby(new MessageHeader("job", 1, 0), 0, "has failed", 1).Verdict);
    }

    private void Protect()
    {
        foreach (int server in Enumerable.Range(0, 4))
        {
            _machine.Protected(new MessageHeader("job", 1, 0), server);
        }
    }

    private void Rest()
    {
        Assignment first = _machine.Assignment!;
        var progress = new StepProgress { Position = new JobPosition(_machine.UntilStep, 4, 0, default) };
        _machine.Progress(first.HeaderOf(_machine.UntilStep), progress, 3);
    }

    private static StepDecision Last(long step) =>
        new(new MessageHeader("job", 1, step), null, new StepNumbers(default, 0.1, 1, new JobPosition(step + 1, step, 1, default), null));

    private T[] Take<T>()
        where T : JobCommand
    {
        _commands.AddRange(_machine.TakeCommands());
        T[] found = [.. _commands.OfType<T>()];
        _commands.RemoveAll(command => command is T);
        return found;
    }

    private string[] Warnings() =>
        [.. _machine.Events.Since(0).Select(happened => happened.Event).OfType<RunEvent.Warning>().Select(warning => warning.Message)];
}
