using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.BatchNorm;

public class BatchNormMachineTests
{
    private static readonly Moments LeftMoments = new(4, [1, 2, 3], [1, 1, 1]);
    private static readonly Moments RightMoments = new(4, [3, 2, 1], [2, 2, 2]);

    private readonly BatchNormMachine _machine = Create(BatchNormMode.Sync);

    public BatchNormMachineTests() => _machine.Begin(TwoWorkers(), 0);

    [Fact]
    public void The_total_is_known_to_the_last_and_to_whoever_asks_again()
    {
        ReduceAnswer<Moments> first = _machine.ReduceMoments(From(1), 0, [RightMoments]);
        ReduceAnswer<Moments> last = _machine.ReduceMoments(From(0), 0, [LeftMoments]);
        ReduceAnswer<Moments> again = _machine.ReduceMoments(From(1), 0, [RightMoments]);

        Assert.Equal((Verdict.Accepted, null, false), (first.Answer.Verdict, first.Total, first.CompletesTree));
        Assert.Equal((Verdict.Accepted, true), (last.Answer.Verdict, last.CompletesTree));
        Assert.Equal((Verdict.Duplicate, false), (again.Answer.Verdict, again.CompletesTree));
        Assert.Equal([2, 2, 2], last.Total!.Mean);
        Assert.Equal([3 + 8, 3, 3 + 8], last.Total.M2);
        Assert.Same(last.Total, again.Total);
    }

    [Fact]
    public void A_step_is_reported_when_forward_and_backward_are_complete()
    {
        Forward(0);
        Assert.Null(_machine.Report);
        Backward(0);

        Assert.Equal(new BatchNormReport(1, 0, null), _machine.Report);
    }

    [Fact]
    public void Statistics_move_at_commit_and_only_once()
    {
        Forward(0);
        Backward(0);
        Assert.Equal(0, _machine.Statistics[0].RunningMean[0]);

        Assert.Equal(Verdict.Accepted, _machine.Commit(new StepDecision(1, 0, PlainStep)).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(new StepDecision(1, 0, PlainStep)).Verdict);

        Assert.Equal(0.2f, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal((1, 1), (_machine.Version, _machine.BatchesSeen));
    }

    [Fact]
    public void A_skipped_step_moves_no_statistics_and_is_not_counted()
    {
        Forward(0);
        Backward(0);
        _machine.Commit(new StepDecision(1, 0, null));

        Assert.Equal(0, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal((1, 0), (_machine.Version, _machine.BatchesSeen));
    }

    [Fact]
    public void The_next_step_may_begin_before_the_commit_arrives_but_its_report_waits()
    {
        Forward(0);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(From(0, step: 1), 0, [LeftMoments]).Answer.Verdict);
        Backward(0);
        Forward(1);
        Backward(1);
        Assert.Null(_machine.Report);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(From(0, step: 2), 0, [LeftMoments]).Answer.Verdict);

        Assert.Equal(Verdict.Accepted, _machine.Commit(new StepDecision(1, 0, PlainStep)).Verdict);

        Assert.Equal(1, _machine.Report!.Step);
        Assert.Equal(Verdict.Accepted, _machine.Commit(new StepDecision(1, 1, PlainStep)).Verdict);
    }

    [Fact]
    public void A_commit_before_the_sums_are_complete_is_rejected()
    {
        Forward(0);

        Assert.Equal(Verdict.Rejected, _machine.Commit(new StepDecision(1, 0, PlainStep)).Verdict);
    }

    [Fact]
    public void A_committed_step_is_summed_again_for_others_without_moving_statistics()
    {
        Forward(0);
        Backward(0);
        _machine.Commit(new StepDecision(1, 0, PlainStep));
        _machine.Begin(TwoWorkers(2), firstStep: 0);

        Forward(0, generation: 2);
        Backward(0, generation: 2);

        Assert.Equal(0, _machine.Report!.Step);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(new StepDecision(2, 0, PlainStep)).Verdict);
        Assert.Equal(0.2f, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal(Verdict.Accepted, _machine.ReduceMoments(From(0, 1, 2), 0, [LeftMoments]).Answer.Verdict);
    }

    [Fact]
    public void Other_bytes_with_the_same_key_are_a_conflict_that_names_the_worker()
    {
        _machine.ReduceMoments(From(1), 0, [RightMoments]);

        Answer answer = _machine.ReduceMoments(From(1), 0, [LeftMoments]).Answer;

        Assert.Equal(Verdict.Conflict, answer.Verdict);
        Assert.Contains("b/0", answer.Reason);
    }

    [Fact]
    public void Messages_that_this_worker_may_not_send_are_rejected()
    {
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(From(0), 1, [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(From(0), 0, [LeftMoments, LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(From(0), 0, [new Moments(4, [1], [1])]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(From(0), 0, [LeftMoments with { Count = 0 }]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceBackwardSums(From(0), 0, [new BackwardSums([1], [1])]).Answer.Verdict);
    }

    [Fact]
    public void Old_generations_and_steps_are_stale()
    {
        _machine.Begin(TwoWorkers(3), 0);

        Assert.Equal(Verdict.Stale, _machine.ReduceMoments(From(0, generation: 2), 0, [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(From(0, generation: 4), 0, [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Stale, _machine.ReduceMoments(From(0, step: -1, generation: 3), 0, [LeftMoments]).Answer.Verdict);
    }

    [Fact]
    public void Ghost_batch_norm_needs_moments_only()
    {
        BatchNormMachine ghost = Create(BatchNormMode.Shard);
        ghost.Begin(TwoWorkers(), 0);
        Assert.Equal(Verdict.Rejected, ghost.ReduceBackwardSums(From(0), 0, [Totals]).Answer.Verdict);

        ghost.ReduceMoments(From(0), 0, [LeftMoments]);
        ghost.ReduceMoments(From(1), 0, [RightMoments]);

        Assert.NotNull(ghost.Report);
    }

    [Fact]
    public void Non_finite_moments_are_named_with_layer_and_worker()
    {
        _machine.ReduceMoments(From(0), 0, [LeftMoments]);
        _machine.ReduceMoments(From(1), 0, [RightMoments with { M2 = [1, double.NaN, 1] }]);
        Backward(0);

        Assert.Equal(new NonFiniteSource("batch norm 1 in forward", "b/0"), _machine.Report!.NonFinite);
    }

    private static BatchNormMachine Create(BatchNormMode mode) =>
        new(Job, mode, RunningAverage.Exponential, [BatchNormState.Initial("1", 3)], 0, 0);

    private void Forward(long step, long generation = 1)
    {
        _machine.ReduceMoments(From(0, step, generation), 0, [LeftMoments]);
        _machine.ReduceMoments(From(1, step, generation), 0, [RightMoments]);
    }

    private void Backward(long step, long generation = 1)
    {
        _machine.ReduceBackwardSums(From(0, step, generation), 0, [Totals]);
        _machine.ReduceBackwardSums(From(1, step, generation), 0, [Totals]);
    }
}
