using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Steps;

public class CoordinatorStandbyTests
{
    private readonly CoordinatorMachine _serving = Create();
    private readonly CoordinatorMachine _standby = Create();

    public CoordinatorStandbyTests()
    {
        _serving.Begin(Doubled());
        _standby.Begin(Doubled(), asStandby: true);
    }

    [Fact]
    public void The_next_step_is_decided_only_when_the_standby_knows_the_last_decision()
    {
        Forward();
        Assert.NotNull(Report(_serving, 0).Decided);
        Assert.Null(Report(_serving, 1).Decided);

        CoordinatorAnswer told = Forward();

        Assert.Equal(0, told.Committed!.Decision.Step);
        Assert.Equal(1, told.Decided!.Decision.Step);
        Assert.Equal(1, _standby.Position.Step);
    }

    [Fact]
    public void A_standby_goes_on_from_the_last_decision_that_it_knows()
    {
        Forward();
        Report(_serving, 0);
        Forward();

        Assert.Equal(1, _standby.Freeze(FromServer(generation: 2)).Version);
        Assert.Null(_standby.Learn(null));
        CoordinatorAnswer begun = _standby.Begin(TwoWorkers(2, 1) with { Start = AssignmentStart.GoOn });

        Assert.Equal(0, begun.Committed!.Decision.Step);
        Assert.NotNull(Report(_standby, 1, generation: 2).Decided);
    }

    [Fact]
    public void A_decision_that_a_standby_has_missed_comes_from_a_server_that_has_taken_it()
    {
        Forward();
        Report(_serving, 0);
        Forward();
        StepDecision missed = Report(_serving, 1).Decided!.Decision;
        _standby.Freeze(FromServer(generation: 2));

        Assert.Equal(0, _standby.Learn(missed)!.Decision.Step);
        _standby.Begin(TwoWorkers(2, 1) with { Start = AssignmentStart.GoOn });

        Assert.Equal((2, 1), (_standby.Position.Step, _standby.Committed.Step));
        CoordinatorAnswer again = Report(_standby, 1, generation: 2);
        Assert.Equal((Verdict.AlreadyApplied, 1, 2), (again.Answer.Verdict, again.Resend!.Step, again.Resend.Header.Generation));
        Assert.Equal(missed.Settings, again.Resend.Settings);
    }

    [Fact]
    public void A_standby_that_has_been_told_nothing_is_no_substitute()
    {
        Assert.Contains("has not been told", _standby.Freeze(FromServer(generation: 2)).Answer.Reason);
        Assert.Equal(Verdict.Rejected, _standby.Begin(TwoWorkers(2) with { Start = AssignmentStart.GoOn }).Answer.Verdict);
    }

    [Fact]
    public void Servers_whose_standbys_lag_behind_are_asked_before_a_step_counts_as_committed()
    {
        Forward();
        Report(_serving, 0);
        Assignment next = Doubled(generation: 2, firstStep: 1, ofPartition: new Standby("t/job/0", 0));
        _serving.Freeze(FromServer(generation: 2));

        CoordinatorAnswer begun = _serving.Begin(next);

        Assert.Equal((null, 0), (begun.Committed, begun.Resend!.Step));
        Assert.Equal(0, _serving.Take(FromServer(0, 2), 0).Committed!.Decision.Step);
    }

    private static Assignment Doubled(long generation = 1, long firstStep = 0, Standby? ofPartition = null)
    {
        Assignment both = TwoWorkers(generation, firstStep);
        return both with
        {
            Start = generation == 1 ? AssignmentStart.Fresh : AssignmentStart.GoOn,
            Servers = both.Servers with { Standbys = [ofPartition, null, new Standby("t/job", ofPartition is null ? Standby.Empty : firstStep)] },
        };
    }

    private static CoordinatorMachine Create() => new(
        Job, Layout, new Sgd { LearningRate = 0.5 }, new ConstantSchedule(), null, partitions: 1, hasBatchNorm: false, JobPosition.Start);

    private static CoordinatorAnswer Report(CoordinatorMachine machine, long step, long generation = 1)
    {
        var sums = new double[Layout.Blocks.Length];
        machine.Report(new PartitionReport(FromServer(step, generation), 0, sums, [], null));
        machine.Report(new WorkerReport(From(0, step, generation), [new Metrics(1, 1, 4)]));
        return machine.Report(new WorkerReport(From(1, step, generation), [new Metrics(2, 1, 4)]));
    }

    private CoordinatorAnswer Forward()
    {
        CoordinatorForward forward = _serving.NextForward(() => new StepProgress())!;
        Assert.Equal(Verdict.Accepted, _standby.Follow(forward).Verdict);
        return _serving.NoteForwarded(forward);
    }
}
