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

    public BatchNormMachineTests() => _machine.Begin(TwoWorkers());

    [Fact]
    public void The_total_is_known_to_the_last_and_to_whoever_asks_again()
    {
        ReduceAnswer<Moments> first = _machine.ReduceMoments(Roots(From(1), forward: true), [RightMoments]);
        ReduceAnswer<Moments> last = _machine.ReduceMoments(Roots(From(0), forward: true), [LeftMoments]);
        ReduceAnswer<Moments> again = _machine.ReduceMoments(Roots(From(1), forward: true), [RightMoments]);

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

        Assert.Equal(new BatchNormReport(FromServer(), null, Sums: _machine.Report!.Sums), _machine.Report);
        Assert.NotEqual(default, _machine.Report.Sums);
    }

    [Fact]
    public void Statistics_move_at_commit_and_only_once()
    {
        Forward(0);
        Backward(0);
        Assert.Equal(0, _machine.Statistics[0].RunningMean[0]);

        Assert.Equal(Verdict.Accepted, _machine.Commit(Commit()).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(Commit()).Verdict);

        Assert.Equal(0.2f, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal((1, 1), (_machine.Version, _machine.BatchesSeen));
    }

    [Fact]
    public void A_skipped_step_moves_no_statistics_and_is_not_counted()
    {
        Forward(0);
        Backward(0);
        _machine.Commit(Skip());

        Assert.Equal(0, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal((1, 0), (_machine.Version, _machine.BatchesSeen));
    }

    [Fact]
    public void The_next_step_may_begin_before_the_commit_arrives_but_its_report_waits()
    {
        Forward(0);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(Roots(From(0, step: 1), forward: true), [LeftMoments]).Answer.Verdict);
        Backward(0);
        Forward(1);
        Backward(1);
        Assert.Null(_machine.Report);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(Roots(From(0, step: 2), forward: true), [LeftMoments]).Answer.Verdict);

        Assert.Equal(Verdict.Accepted, _machine.Commit(Commit()).Verdict);

        Assert.Equal(1, _machine.Report!.Header.Step);
        Assert.Equal(Verdict.Accepted, _machine.Commit(Commit(1)).Verdict);
    }

    [Fact]
    public void A_commit_before_the_sums_are_complete_is_rejected()
    {
        Forward(0);

        Assert.Equal(Verdict.Rejected, _machine.Commit(Commit()).Verdict);
    }

    [Fact]
    public void A_committed_step_is_summed_again_for_others_without_moving_statistics()
    {
        Forward(0);
        Backward(0);
        _machine.Commit(Commit());
        _machine.Begin(TwoWorkers(2));

        Forward(0, generation: 2);
        Backward(0, generation: 2);

        Assert.Equal(0, _machine.Report!.Header.Step);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(Commit(0, 2)).Verdict);
        Assert.Equal(0.2f, _machine.Statistics[0].RunningMean[0]);
        Assert.Equal(Verdict.Accepted, _machine.ReduceMoments(Roots(From(0, 1, 2), forward: true), [LeftMoments]).Answer.Verdict);
    }

    [Fact]
    public void Other_bytes_with_the_same_key_are_a_conflict_that_names_the_worker()
    {
        _machine.ReduceMoments(Roots(From(1), forward: true), [RightMoments]);

        Answer answer = _machine.ReduceMoments(Roots(From(1), forward: true), [LeftMoments]).Answer;

        Assert.Equal(Verdict.Conflict, answer.Verdict);
        Assert.Contains("b/0", answer.Reason);
    }

    [Fact]
    public void Messages_that_this_worker_may_not_send_are_rejected()
    {
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(Roots(From(0), forward: true, norm: 1), [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(Roots(From(0), forward: true), [LeftMoments, LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(Roots(From(0), forward: true), [new Moments(4, [1], [1])]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceMoments(Roots(From(0), forward: true), [LeftMoments with { Count = 0 }]).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.ReduceBackwardSums(Roots(From(0), forward: false), [new BackwardSums([1], [1])]).Answer.Verdict);
    }

    [Fact]
    public void Old_generations_and_steps_are_stale()
    {
        _machine.Begin(TwoWorkers(3));

        Assert.Equal(Verdict.Stale, _machine.ReduceMoments(Roots(From(0, generation: 2), forward: true), [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Future, _machine.ReduceMoments(Roots(From(0, generation: 4), forward: true), [LeftMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Stale, _machine.ReduceMoments(Roots(From(0, step: -1, generation: 3), forward: true), [LeftMoments]).Answer.Verdict);
    }

    [Fact]
    public void Ghost_batch_norm_needs_moments_only()
    {
        BatchNormMachine ghost = Create(BatchNormMode.Shard);
        ghost.Begin(TwoWorkers());
        Assert.Equal(Verdict.Rejected, ghost.ReduceBackwardSums(Roots(From(0), forward: false), [Totals]).Answer.Verdict);

        ghost.ReduceMoments(Roots(From(0), forward: true), [LeftMoments]);
        ghost.ReduceMoments(Roots(From(1), forward: true), [RightMoments]);

        Assert.NotNull(ghost.Report);
    }

    [Fact]
    public void Non_finite_moments_are_named_with_layer_and_worker()
    {
        _machine.ReduceMoments(Roots(From(0), forward: true), [LeftMoments]);
        _machine.ReduceMoments(Roots(From(1), forward: true), [RightMoments with { M2 = [1, double.NaN, 1] }]);
        Backward(0);

        Assert.Equal("layer 1 (batch-norm moments) from worker b/0, data shards 2 to 3 (samples 4 to 7 of the batch)", $"{_machine.Report!.NonFinite}");
    }

    [Fact]
    public void Moments_with_other_bits_than_in_an_earlier_generation_are_told_with_both_workers()
    {
        Forward(0);
        _machine.Freeze(FromServer(generation: 2));
        _machine.Begin(Exchanged(2));
        _machine.ReduceMoments(Roots(From(0, generation: 2), forward: true), [LeftMoments]);
        _machine.ReduceMoments(Roots(From(1, generation: 2), forward: true), [RightMoments with { M2 = [1, 1.5, 1] }]);
        Backward(0, 2);

        Disagreement found = _machine.Report!.Disagreement!;

        Assert.Equal("layer 1 (batch-norm moments), data shards 2 to 3 (samples 4 to 7 of the batch)", $"{found}");
        Assert.Equal([new RootClaim("b/0", 0, true), new RootClaim("a/0", 1, true)], found.Claims);
    }

    [Fact]
    public void A_step_that_is_committed_here_and_runs_again_is_compared_too()
    {
        Forward(0);
        Backward(0);
        _machine.Commit(Commit());
        _machine.Freeze(FromServer(generation: 2));
        _machine.Begin(Exchanged(2));
        Forward(0, 2);
        _machine.ReduceBackwardSums(Roots(From(0, generation: 2), forward: false), [Totals]);
        _machine.ReduceBackwardSums(Roots(From(1, generation: 2), forward: false), [new BackwardSums([1, 2, 3.5], [4, 5, 6])]);

        Assert.Equal("layer 1 (batch-norm sums of backward)", _machine.Report!.Disagreement!.What);
    }

    [Fact]
    public void Frozen_batch_norms_stay_where_they_are_and_take_nothing_of_the_generation_before()
    {
        Forward(0);
        Backward(0);

        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), _machine.Freeze(FromServer(generation: 2)));

        Assert.Equal(Verdict.Stale, _machine.Commit(Commit()).Verdict);
        Assert.Equal(Verdict.Stale, _machine.ReduceMoments(Roots(From(1), forward: true), [RightMoments]).Answer.Verdict);
        Assert.Equal(Verdict.Stale, _machine.Read(FromServer(), 0).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Install(FromServer(), 0, [1, 2, 3, 4, 5, 6]).Verdict);
        Assert.Equal(Verdict.Accepted, _machine.Begin(TwoWorkers(2)).Verdict);
    }

    [Fact]
    public void Statistics_are_restored_before_the_first_step_only()
    {
        _machine.Begin(TwoWorkers(2) with { Start = AssignmentStart.Restore });
        Assert.Equal(Verdict.Rejected, _machine.Freeze(FromServer(generation: 3)).Answer.Verdict);
        _machine.Begin(TwoWorkers(3) with { Start = AssignmentStart.Restore });
        Assert.Equal(Verdict.Accepted, _machine.Install(FromServer(0, 3), 0, [1, 2, 3, 4, 5, 6]).Verdict);
        Assert.Equal([1, 2, 3, 4, 5, 6], _machine.Read(FromServer(0, 3), 0).Values!.Span.ToArray());

        Assert.Equal(Verdict.Rejected, _machine.Install(FromServer(0, 3), 0, [1, 2]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Install(FromServer(0, 3), 1, [1, 2, 3, 4, 5, 6]).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Install(FromServer(0, 2), 0, [1, 2, 3, 4, 5, 6]).Verdict);
        Forward(0, 3);
        Backward(0, 3);
        _machine.Commit(Commit(0, 3));
        Assert.Equal(Verdict.Rejected, _machine.Install(FromServer(0, 3), 0, [1, 2, 3, 4, 5, 6]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Read(FromServer(0, 3), 0).Verdict);
    }

    private static NormRoots Roots(MessageHeader header, bool forward, int norm = 0) => new(header, norm, forward, 1, true);

    private static BatchNormMachine Create(BatchNormMode mode) =>
        new(Job, mode, RunningAverage.Exponential, [BatchNormState.Initial("1", 3)], 0, 0);

    private void Forward(long step, long generation = 1)
    {
        _machine.ReduceMoments(Roots(From(0, step, generation), forward: true), [LeftMoments]);
        _machine.ReduceMoments(Roots(From(1, step, generation), forward: true), [RightMoments]);
    }

    private void Backward(long step, long generation = 1)
    {
        _machine.ReduceBackwardSums(Roots(From(0, step, generation), forward: false), [Totals]);
        _machine.ReduceBackwardSums(Roots(From(1, step, generation), forward: false), [Totals]);
    }
}
