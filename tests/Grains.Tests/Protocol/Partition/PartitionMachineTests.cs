using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Partition;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Partition;

public class PartitionMachineTests
{
    private readonly PartitionMachine _machine = Create(new Sgd());
    private readonly Chunk _chunk;
    private readonly Chunk _delivered;

    public PartitionMachineTests()
    {
        _machine.Begin(TwoWorkers(), 0);
        _chunk = _machine.Plan.Chunks.Single(chunk => !chunk.DeliveredByBatchNorm);
        _delivered = _machine.Plan.Chunks.Single(chunk => chunk.DeliveredByBatchNorm);
    }

    [Fact]
    public void A_step_is_reported_when_every_root_and_every_total_is_there()
    {
        Assert.Equal(Verdict.Accepted, Push(1, Right, 2));
        Assert.Equal(Verdict.Accepted, _machine.Deliver(1, 0, 0, Totals).Verdict);
        Assert.Null(_machine.Report);
        Assert.Equal(Verdict.Accepted, Push(0, Left, 1));

        PartitionReport report = _machine.Report!;
        Assert.Equal((0L, 0, null), (report.Step, report.Partition, report.NonFinite));
        Assert.Equal([9.0 * 1024, 9.0 * 1024], report.SquareSums[.._chunk.BlockCount]);
        Assert.Equal([14, 77], report.SquareSums[_chunk.BlockCount..].Order());
        Assert.Empty(report.WeightSquareSums);
    }

    [Fact]
    public void A_commit_applies_the_step_once_and_the_version_before_stays_readable()
    {
        CompleteStep(0);
        var commit = new StepDecision(1, 0, PlainStep);

        Assert.Equal(Verdict.Accepted, _machine.Commit(commit).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(commit).Verdict);

        Assert.Equal(1, _machine.Version);
        Assert.Equal(10 - 3, _machine.Pull(1, 1, _chunk.Index).Floats[0]);
        Assert.Equal(10, _machine.Pull(1, 0, _chunk.Index).Floats[0]);
        Assert.Equal(10 - 6, _machine.Pull(1, 1, _delivered.Index).Floats.ToArray().Where(value => value != 10).Min());
    }

    [Fact]
    public void A_skip_makes_the_next_version_with_the_same_weights()
    {
        CompleteStep(0);
        _machine.Commit(new StepDecision(1, 0, null));

        Assert.Equal(1, _machine.Version);
        Assert.Equal(10, _machine.Pull(1, 1, _chunk.Index).Floats[0]);
    }

    [Fact]
    public void Two_versions_are_kept_and_others_are_named_not_yet_or_too_old()
    {
        Assert.Equal(PullVerdict.NotYet, _machine.Pull(1, 1, 0).Verdict);
        for (int step = 0; step < 2; step++)
        {
            CompleteStep(step);
            _machine.Commit(new StepDecision(1, step, PlainStep));
        }

        Assert.Equal(PullVerdict.TooOld, _machine.Pull(1, 0, 0).Verdict);
        Assert.Equal(PullVerdict.Ready, _machine.Pull(1, 1, 0).Verdict);
        Assert.Equal(PullVerdict.Stale, _machine.Pull(0, 1, 0).Verdict);
        Assert.Equal(PullVerdict.NotYet, _machine.Pull(2, 1, 0).Verdict);
        Assert.Equal(PullVerdict.Rejected, _machine.Pull(1, 1, 99).Verdict);
    }

    [Fact]
    public void The_same_bytes_again_are_acknowledged_and_not_added()
    {
        Push(0, Left, 1);
        Assert.Equal(Verdict.Duplicate, Push(0, Left, 1));
        Push(1, Right, 2);
        _machine.Deliver(1, 0, 0, Totals);
        Assert.Equal(Verdict.Duplicate, _machine.Deliver(1, 0, 0, Totals).Verdict);

        Assert.Equal(9.0 * 1024, _machine.Report!.SquareSums[0]);
    }

    [Fact]
    public void Other_bytes_with_the_same_key_are_a_conflict_that_names_the_worker()
    {
        Push(1, Right, 1);

        Answer answer = _machine.Push(From(1), _chunk.Index, Right, Filled(_chunk.Length, 2));

        Assert.Equal(Verdict.Conflict, answer.Verdict);
        Assert.Contains("b/0", answer.Reason);
        _machine.Deliver(1, 0, 0, Totals);
        Assert.Equal(Verdict.Conflict, _machine.Deliver(1, 0, 0, new BackwardSums([1, 2, 3], [4, 5, 7])).Verdict);
    }

    [Fact]
    public void Old_generations_and_incarnations_are_stale_and_new_ones_too_early()
    {
        _machine.Begin(TwoWorkers(5), 0);

        Assert.Equal(Verdict.Stale, Push(From(0, generation: 4), Left).Verdict);
        Assert.Equal(Verdict.Future, Push(From(0, generation: 6), Left).Verdict);
        Assert.Equal(Verdict.Stale, Push(From(0, generation: 5) with { Incarnation = 0 }, Left).Verdict);
        Assert.Equal(Verdict.Future, Push(From(0, step: 1, generation: 5), Left).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Commit(new StepDecision(4, 0, PlainStep)).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Begin(TwoWorkers(4), 0).Verdict);
    }

    [Fact]
    public void Messages_that_this_worker_may_not_send_are_rejected()
    {
        Assert.Equal(Verdict.Rejected, Push(From(0), Right).Verdict);
        Assert.Equal(Verdict.Rejected, Push(From(0), new TreeNode(0, 0)).Verdict);
        Assert.Equal(Verdict.Rejected, Push(From(7), Left).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(From(0), _chunk.Index, Left, new float[_chunk.Length - 1]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(From(0), 99, Left, new float[_chunk.Length]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(From(0), _delivered.Index, Left, new float[_delivered.Length]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Deliver(1, 0, 0, new BackwardSums([1], [1])).Verdict);
        Assert.Contains("a/0", Push(From(0), Right).Reason);
    }

    [Fact]
    public void A_commit_before_the_step_is_complete_is_rejected()
    {
        Push(0, Left, 1);

        Assert.Equal(Verdict.Rejected, _machine.Commit(new StepDecision(1, 0, PlainStep)).Verdict);
        Assert.Equal(0, _machine.Version);
    }

    [Fact]
    public void A_new_generation_drops_what_was_staged()
    {
        Push(0, Left, 5);
        _machine.Begin(TwoWorkers(2), 0);

        CompleteStep(0, generation: 2);

        Assert.Equal(9.0 * 1024, _machine.Report!.SquareSums[0]);
    }

    [Fact]
    public void A_step_that_is_committed_here_is_run_again_for_others_without_effect()
    {
        CompleteStep(0);
        _machine.Commit(new StepDecision(1, 0, PlainStep));
        Assert.Equal(Verdict.Accepted, _machine.Begin(TwoWorkers(2), firstStep: 0).Verdict);

        Assert.Equal(Verdict.AlreadyApplied, Push(From(0, step: 0, generation: 2), Left).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Deliver(2, 0, 0, Totals).Verdict);
        Assert.Equal(PullVerdict.Ready, _machine.Pull(2, 0, 0).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(new StepDecision(2, 0, PlainStep)).Verdict);
        CompleteStep(1, generation: 2);
        Assert.Equal(1, _machine.Report!.Step);
    }

    [Fact]
    public void A_generation_that_starts_two_steps_back_is_rejected()
    {
        for (int step = 0; step < 2; step++)
        {
            CompleteStep(step);
            _machine.Commit(new StepDecision(1, step, PlainStep));
        }

        Answer answer = _machine.Begin(TwoWorkers(2), firstStep: 0);

        Assert.Equal(Verdict.Rejected, answer.Verdict);
        Assert.Contains("checkpoint", answer.Reason);
    }

    [Fact]
    public void A_step_past_the_end_of_the_job_is_rejected()
    {
        PartitionMachine machine = Create(new Sgd(), version: Job.TotalSteps);
        machine.Begin(TwoWorkers(), Job.TotalSteps);

        Assert.Equal(Verdict.Rejected, machine.Push(From(0, Job.TotalSteps), _chunk.Index, Left, new float[_chunk.Length]).Verdict);
    }

    [Fact]
    public void The_first_non_finite_value_is_named_with_its_tensor_and_worker()
    {
        float[] bad = Filled(_chunk.Length, 1);
        bad[^1] = float.NaN;
        _machine.Push(From(1), _chunk.Index, Right, bad);
        Push(0, Left, 1);
        _machine.Deliver(1, 0, 0, Totals);

        Assert.Equal(new NonFiniteSource("the gradient of 0.weight", "b/0"), _machine.Report!.NonFinite);
    }

    [Fact]
    public void A_sum_that_overflows_blames_no_worker()
    {
        Push(0, Left, float.MaxValue);
        Push(1, Right, float.MaxValue);
        _machine.Deliver(1, 0, 0, Totals);

        Assert.Equal(new NonFiniteSource("the gradient of 0.weight", null), _machine.Report!.NonFinite);
    }

    [Fact]
    public void Lars_gets_the_weights_square_sums()
    {
        PartitionMachine machine = Create(new Lars());
        machine.Begin(TwoWorkers(), 0);
        machine.Push(From(0), _chunk.Index, Left, Filled(_chunk.Length, 1));
        machine.Push(From(1), _chunk.Index, Right, Filled(_chunk.Length, 1));
        machine.Deliver(1, 0, 0, Totals);

        Assert.Equal(100.0 * 1024, machine.Report!.WeightSquareSums[0]);
    }

    private static PartitionMachine Create(OptimizerSpec optimizer, long version = 0)
    {
        var plan = new PartitionPlan(Layout, 0, 1);
        return new PartitionMachine(
            plan, Job, optimizer, version, Filled(plan.Length, 10), [.. optimizer.SlotNames.Select(_ => new float[plan.Length])]);
    }

    private Verdict Push(int worker, TreeNode node, float value) =>
        _machine.Push(From(worker), _chunk.Index, node, Filled(_chunk.Length, value)).Verdict;

    private Answer Push(MessageHeader header, TreeNode node) => _machine.Push(header, _chunk.Index, node, Filled(_chunk.Length, 1));

    private void CompleteStep(long step, long generation = 1)
    {
        _machine.Push(From(0, step, generation), _chunk.Index, Left, Filled(_chunk.Length, 1));
        _machine.Push(From(1, step, generation), _chunk.Index, Right, Filled(_chunk.Length, 2));
        _machine.Deliver(generation, step, 0, Totals);
    }
}
