using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Partition;

/// <summary>What a partition sees when a step is computed more than once.</summary>
public class RepeatedStepTests
{
    private readonly PartitionMachine _machine;
    private readonly Chunk _chunk;

    public RepeatedStepTests()
    {
        var plan = new PartitionPlan(Layout, 0, 1);
        _machine = new PartitionMachine(Job, new Sgd(), new PartitionState(plan, new Sgd(), 0));
        _machine.Begin(TwoWorkers());
        _chunk = plan.Chunks.Single(chunk => !chunk.DeliveredByBatchNorm);
    }

    [Fact]
    public void The_same_bits_from_another_worker_are_no_disagreement()
    {
        Push(1, left: 1, right: 2);
        Change(Exchanged(2));
        Push(2, left: 1, right: 2);

        Assert.Null(_machine.Report!.Disagreement);
    }

    [Fact]
    public void Other_bits_are_told_with_the_layer_the_samples_and_what_everybody_has_computed()
    {
        Push(1, left: 1, right: float.PositiveInfinity);
        Change(Exchanged(2));
        Push(2, left: 1, right: 2);
        Change(TwoWorkers(3) with { Start = AssignmentStart.GoOn });
        Push(3, left: 3, right: 2);

        Disagreement found = _machine.Report!.Disagreement!;

        Assert.Equal("layer 0 (gradient of 0.weight), data shards 0 to 1 (samples 0 to 3 of the batch)", $"{found}");
        Assert.Equal([new RootClaim("a/0", 0, true), new RootClaim("b/0", 0, true), new RootClaim("a/0", 1, true)], found.Claims);
    }

    [Fact]
    public void Nan_and_infinity_count_as_the_same()
    {
        Push(1, left: 1, right: float.PositiveInfinity);
        Change(Exchanged(2));
        Push(2, left: 1, right: float.NaN);

        Assert.Null(_machine.Report!.Disagreement);
        Assert.NotNull(_machine.Report.NonFinite);
    }

    [Fact]
    public void What_a_worker_sent_that_has_left_does_not_count()
    {
        Push(1, left: 1, right: float.NaN);
        Assignment alone = TwoWorkers(2) with
        {
            Start = AssignmentStart.GoOn,
            Workers = [new AssignedWorker("c/0", 1, new ShardRange(0, 2), 1), new AssignedWorker("a/0", 1, new ShardRange(2, 4), 1)],
        };
        Change(alone);
        Push(2, left: 1, right: 5);

        Assert.Null(_machine.Report!.Disagreement);
    }

    [Fact]
    public void The_step_after_is_not_compared()
    {
        Push(1, left: 1, right: 2);
        Change(Exchanged(2));
        Push(2, left: 1, right: 2);
        _machine.Commit(Commit(0, 2));

        Push(2, left: 7, right: 8, step: 1);

        Assert.Null(_machine.Report!.Disagreement);
    }

    [Fact]
    public void A_decision_that_is_told_again_waits_until_the_coordinator_has_seen_what_was_summed_anew()
    {
        Push(1, left: 1, right: 2);
        Change(Exchanged(2));
        Push(2, left: 1, right: 2);
        StepDecision again = Commit(0, 2) with { IsToldAgain = true };

        Assert.Equal(Verdict.Future, _machine.Commit(again).Verdict);
        _machine.NoteReported(FromServer(0, 1));
        Assert.Equal(Verdict.Future, _machine.Commit(again).Verdict);
        _machine.NoteReported(FromServer(0, 2));
        Assert.Equal(Verdict.Accepted, _machine.Commit(again).Verdict);
    }

    private void Change(Assignment assignment)
    {
        _machine.Freeze(FromServer(generation: assignment.Generation));
        Assert.Equal(Verdict.Accepted, _machine.Begin(assignment).Verdict);
    }

    private void Push(long generation, float left, float right, long step = 0)
    {
        Push(From(0, step, generation), Left, left);
        Push(From(1, step, generation), Right, right);
        _machine.Deliver(FromServer(step, generation), 0, Totals);
    }

    private void Push(MessageHeader header, TreeNode node, float value) =>
        Assert.Equal(Verdict.Accepted, _machine.Push(new GradientRoot(header, _chunk.Index, node), Filled(_chunk.Length, value)).Verdict);
}
