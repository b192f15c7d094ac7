using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.BatchNorm;

public class BatchNormStandbyTests
{
    private readonly BatchNormMachine _serving = Create();
    private readonly BatchNormMachine _standby = Create();

    public BatchNormStandbyTests()
    {
        _serving.Begin(Doubled());
        _standby.Begin(Doubled(), asStandby: true);
    }

    [Fact]
    public void A_standby_that_has_been_told_nothing_is_no_substitute()
    {
        Assert.Contains("no statistics yet", _standby.Freeze(FromServer(generation: 2)).Answer.Reason);
    }

    [Fact]
    public void A_step_is_not_reported_before_the_standby_has_the_statistics_of_the_one_before()
    {
        Forward();
        Sum(0);
        _serving.Commit(Commit());
        Sum(1);
        Assert.Null(_serving.Report);

        Forward();

        Assert.Equal(1, _serving.Report!.Header.Step);
        Assert.Equal((1, 1), (_standby.Version, _standby.BatchesSeen));
        Assert.Equal(_serving.Statistics[0].RunningMean, _standby.Statistics[0].RunningMean);
        Assert.Equal(_serving.Statistics[0].RunningVar, _standby.Statistics[0].RunningVar);
    }

    [Fact]
    public void A_standby_goes_on_from_where_it_is()
    {
        Forward();
        Sum(0);
        _serving.Commit(Commit());
        BatchNormForward last = _serving.NextForward()!;
        Forward();
        Assert.Equal(Verdict.AlreadyApplied, _standby.Follow(last).Verdict);
        Assert.Equal((Verdict.Accepted, 1), (_standby.Freeze(FromServer(generation: 2)).Answer.Verdict, _standby.Version));

        Assert.Equal(Verdict.Accepted, _standby.Begin(TwoWorkers(2, 1) with { Start = AssignmentStart.GoOn }).Verdict);

        Assert.Equal(Verdict.Stale, _standby.Follow(last).Verdict);
        Assert.Equal(Verdict.Rejected, _standby.Follow(last with { Header = FromServer(2, 2) }).Verdict);
    }

    private static Assignment Doubled() => TwoWorkers() with { Servers = TwoWorkers().Servers with { Standbys = [null, new Standby("t/job"), null] } };

    private static BatchNormMachine Create() =>
        new(Job, BatchNormMode.Shard, RunningAverage.Exponential, [BatchNormState.Initial("1", 3)], 0, 0);

    private void Sum(long step)
    {
        _serving.ReduceMoments(new NormRoots(From(0, step), 0, true, 1, false), [new Moments(4, [1, 2, 3], [1, 1, 1])]);
        _serving.ReduceMoments(new NormRoots(From(1, step), 0, true, 1, false), [new Moments(4, [3, 2, 1], [2, 2, 2])]);
    }

    private void Forward()
    {
        BatchNormForward forward = _serving.NextForward()!;
        Assert.Equal(Verdict.Accepted, _standby.Follow(forward).Verdict);
        _serving.NoteForwarded(forward);
        Assert.True(_serving.IsInStep && _serving.IsProtected);
    }
}
