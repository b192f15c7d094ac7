using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
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
        _machine.Begin(TwoWorkers());
        _chunk = _machine.Plan.Chunks.Single(chunk => !chunk.DeliveredByBatchNorm);
        _delivered = _machine.Plan.Chunks.Single(chunk => chunk.DeliveredByBatchNorm);
    }

    [Fact]
    public void A_step_is_reported_when_every_root_and_every_total_is_there()
    {
        Assert.Equal(Verdict.Accepted, Push(1, Right, 2));
        Assert.Equal(Verdict.Accepted, _machine.Deliver(FromServer(), 0, Totals).Verdict);
        Assert.Null(_machine.Report);
        Assert.Equal(Verdict.Accepted, Push(0, Left, 1));

        PartitionReport report = _machine.Report!;
        Assert.Equal((0L, 0, null), (report.Header.Step, report.Partition, report.NonFinite));
        Assert.Equal([9.0 * 1024, 9.0 * 1024], report.SquareSums[.._chunk.BlockCount]);
        Assert.Equal([14, 77], report.SquareSums[_chunk.BlockCount..].Order());
        Assert.Empty(report.WeightSquareSums);
    }

    [Fact]
    public void A_commit_applies_the_step_once_and_the_version_before_stays_readable()
    {
        CompleteStep(0);
        var commit = Commit();

        Assert.Equal(Verdict.Accepted, _machine.Commit(commit).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(commit).Verdict);

        Assert.Equal(1, _machine.Version);
        Assert.Equal(10 - 3, _machine.Pull(From(0, 1, 1), _chunk.Index).Values!.Span[0]);
        Assert.Equal(10, _machine.Pull(From(0, 0, 1), _chunk.Index).Values!.Span[0]);
        Assert.Equal(10 - 6, _machine.Pull(From(0, 1, 1), _delivered.Index).Values!.Span.ToArray().Where(value => value != 10).Min());
    }

    [Fact]
    public void A_skip_makes_the_next_version_with_the_same_weights()
    {
        CompleteStep(0);
        _machine.Commit(Skip());

        Assert.Equal(1, _machine.Version);
        Assert.Equal(10, _machine.Pull(From(0, 1, 1), _chunk.Index).Values!.Span[0]);
    }

    [Fact]
    public void Two_versions_are_kept_and_others_are_too_early_or_have_been_overwritten()
    {
        Assert.Equal(Verdict.Future, _machine.Pull(From(0, 1, 1), 0).Verdict);
        for (int step = 0; step < 2; step++)
        {
            CompleteStep(step);
            _machine.Commit(Commit(step));
        }

        Assert.Equal(Verdict.Rejected, _machine.Pull(From(0, 0, 1), 0).Verdict);
        Assert.Equal(Verdict.Accepted, _machine.Pull(From(0, 1, 1), 0).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Pull(From(0, 1, 0), 0).Verdict);
        Assert.Equal(Verdict.Future, _machine.Pull(From(0, 1, 2), 0).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Pull(From(0, 1, 1), 99).Verdict);
    }

    [Fact]
    public void The_same_bytes_again_are_acknowledged_and_not_added()
    {
        Push(0, Left, 1);
        Assert.Equal(Verdict.Duplicate, Push(0, Left, 1));
        Push(1, Right, 2);
        _machine.Deliver(FromServer(), 0, Totals);
        Assert.Equal(Verdict.Duplicate, _machine.Deliver(FromServer(), 0, Totals).Verdict);

        Assert.Equal(9.0 * 1024, _machine.Report!.SquareSums[0]);
    }

    [Fact]
    public void Other_bytes_with_the_same_key_are_a_conflict_that_names_the_worker()
    {
        Push(1, Right, 1);

        Answer answer = _machine.Push(new GradientRoot(From(1), _chunk.Index, Right), Filled(_chunk.Length, 2));

        Assert.Equal(Verdict.Conflict, answer.Verdict);
        Assert.Contains("b/0", answer.Reason);
        _machine.Deliver(FromServer(), 0, Totals);
        Assert.Equal(Verdict.Conflict, _machine.Deliver(FromServer(), 0, new BackwardSums([1, 2, 3], [4, 5, 7])).Verdict);
    }

    [Fact]
    public void Old_generations_and_incarnations_are_stale_and_new_ones_too_early()
    {
        _machine.Begin(TwoWorkers(5));

        Assert.Equal(Verdict.Stale, Push(From(0, generation: 4), Left).Verdict);
        Assert.Equal(Verdict.Future, Push(From(0, generation: 6), Left).Verdict);
        Assert.Equal(Verdict.Stale, Push(From(0, generation: 5) with { Incarnation = 0 }, Left).Verdict);
        Assert.Equal(Verdict.Future, Push(From(0, step: 1, generation: 5), Left).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Commit(Commit(0, 4)).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Begin(TwoWorkers(4)).Verdict);
    }

    [Fact]
    public void Messages_that_this_worker_may_not_send_are_rejected()
    {
        Assert.Equal(Verdict.Rejected, Push(From(0), Right).Verdict);
        Assert.Equal(Verdict.Rejected, Push(From(0), new TreeNode(0, 0)).Verdict);
        Assert.Equal(Verdict.Rejected, Push(From(7), Left).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(new GradientRoot(From(0), _chunk.Index, Left), new float[_chunk.Length - 1]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(new GradientRoot(From(0), 99, Left), new float[_chunk.Length]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Push(new GradientRoot(From(0), _delivered.Index, Left), new float[_delivered.Length]).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Deliver(FromServer(), 0, new BackwardSums([1], [1])).Verdict);
        Assert.Contains("a/0", Push(From(0), Right).Reason);
    }

    [Fact]
    public void A_commit_before_the_step_is_complete_is_rejected()
    {
        Push(0, Left, 1);

        Assert.Equal(Verdict.Rejected, _machine.Commit(Commit()).Verdict);

        // In a generation that runs the step again the decision may come before the batch norms' totals.
        _machine.Begin(TwoWorkers(2) with { Start = AssignmentStart.GoOn });
        Assert.Equal(Verdict.Future, _machine.Commit(Commit(generation: 2)).Verdict);
        Assert.Equal(0, _machine.Version);
    }

    [Fact]
    public void A_new_generation_drops_what_was_staged()
    {
        Push(0, Left, 5);
        _machine.Begin(TwoWorkers(2));

        CompleteStep(0, generation: 2);

        Assert.Equal(9.0 * 1024, _machine.Report!.SquareSums[0]);
    }

    [Fact]
    public void A_step_that_is_committed_here_is_run_again_for_others_without_effect()
    {
        CompleteStep(0);
        _machine.Commit(Commit());
        Assert.Equal(Verdict.Accepted, _machine.Begin(TwoWorkers(2)).Verdict);

        Assert.Equal(Verdict.AlreadyApplied, Push(From(0, step: 0, generation: 2), Left).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Deliver(FromServer(0, 2), 0, Totals).Verdict);
        Assert.Equal(Verdict.Accepted, _machine.Pull(From(0, 0, 2), 0).Verdict);
        Assert.Equal(Verdict.AlreadyApplied, _machine.Commit(Commit(0, 2)).Verdict);
        CompleteStep(1, generation: 2);
        Assert.Equal(1, _machine.Report!.Header.Step);
    }

    [Fact]
    public void A_generation_that_starts_two_steps_back_is_rejected()
    {
        for (int step = 0; step < 2; step++)
        {
            CompleteStep(step);
            _machine.Commit(Commit(step));
        }

        Answer answer = _machine.Begin(TwoWorkers(2));

        Assert.Equal(Verdict.Rejected, answer.Verdict);
        Assert.Contains("checkpoint", answer.Reason);
    }

    [Fact]
    public void A_step_past_the_end_of_the_job_is_rejected()
    {
        PartitionMachine machine = Create(new Sgd(), version: Job.TotalSteps);
        machine.Begin(TwoWorkers(1, Job.TotalSteps));

        Assert.Equal(Verdict.Rejected, machine.Push(new GradientRoot(From(0, Job.TotalSteps), _chunk.Index, Left), new float[_chunk.Length]).Verdict);
    }

    [Fact]
    public void The_first_non_finite_value_is_named_with_its_tensor_and_worker()
    {
        float[] bad = Filled(_chunk.Length, 1);
        bad[^1] = float.NaN;
        _machine.Push(new GradientRoot(From(1), _chunk.Index, Right), bad);
        Push(0, Left, 1);
        _machine.Deliver(FromServer(), 0, Totals);

        Assert.Equal("layer 0 (gradient of 0.weight) from worker b/0, data shards 2 to 3 (samples 4 to 7 of the batch)", $"{_machine.Report!.NonFinite}");
    }

    [Fact]
    public void A_sum_that_overflows_blames_no_worker()
    {
        Push(0, Left, float.MaxValue);
        Push(1, Right, float.MaxValue);
        _machine.Deliver(FromServer(), 0, Totals);

        Assert.Equal("the sum over the data shards of layer 0 (gradient of 0.weight)", $"{_machine.Report!.NonFinite}");
    }

    [Fact]
    public void Lars_gets_the_weights_square_sums()
    {
        PartitionMachine machine = Create(new Lars());
        machine.Begin(TwoWorkers());
        machine.Push(new GradientRoot(From(0), _chunk.Index, Left), Filled(_chunk.Length, 1));
        machine.Push(new GradientRoot(From(1), _chunk.Index, Right), Filled(_chunk.Length, 1));
        machine.Deliver(FromServer(), 0, Totals);

        Assert.Equal(100.0 * 1024, machine.Report!.WeightSquareSums[0]);
    }

    [Fact]
    public void State_is_restored_before_the_first_step_only_and_as_often_as_it_is_sent()
    {
        _machine.Begin(TwoWorkers(2) with { Start = AssignmentStart.Restore });
        Assert.Equal(Verdict.Accepted, Install(FromServer(0, 2), 3));
        Assert.Equal(Verdict.Accepted, Install(FromServer(0, 2), 3));
        Assert.Equal(3, _machine.Pull(From(0, 0, 2), _chunk.Index).Values!.Span[0]);

        Assert.Equal(Verdict.Rejected, Install(FromServer(1, 2), 3));
        Assert.Equal(Verdict.Stale, Install(FromServer(), 3));
        Assert.Equal(Verdict.Rejected, Install(FromServer(0, 2), 3, slot: 5));
        CompleteStep(0, 2);
        _machine.Commit(Commit(0, 2));
        Assert.Equal(Verdict.Rejected, Install(FromServer(0, 2), 3));
        Assert.Equal(0, _machine.Pull(From(0, 1, 2), _chunk.Index).Values!.Span[0]);
    }

    [Fact]
    public void A_partition_that_is_restored_in_part_counts_as_lost_until_it_is_whole()
    {
        _machine.Begin(TwoWorkers(2) with { Start = AssignmentStart.Restore });
        Install(FromServer(0, 2), 3);

        FrozenAt lost = _machine.Freeze(FromServer(generation: 3));
        Assert.Equal((Verdict.Rejected, -1), (lost.Answer.Verdict, lost.Version));
        Assert.Contains("partition 0 was restored in part only (missing parts of the checkpoint: 1)", lost.Answer.Reason);
        Assert.Equal(Verdict.Rejected, _machine.Begin(TwoWorkers(3) with { Start = AssignmentStart.GoOn }).Verdict);

        _machine.Begin(TwoWorkers(3) with { Start = AssignmentStart.Restore });
        Install(FromServer(0, 3), 3);
        _machine.Install(FromServer(0, 3), StateSlot.Weights, _delivered.Index, Filled(_delivered.Length, 3));
        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), _machine.Freeze(FromServer(generation: 4)));
    }

    [Fact]
    public void A_read_is_a_copy_of_the_newest_version()
    {
        TensorBlock before = _machine.Read(FromServer(), StateSlot.Weights, _chunk.Index).Values!;
        CompleteStep(0);
        _machine.Commit(Commit());
        CompleteStep(1);
        _machine.Commit(Commit(1));
        CompleteStep(2);
        _machine.Commit(Commit(2));

        Assert.Equal(10, before.Span[0]);
        Assert.Equal(10 - 9, _machine.Read(FromServer(3), StateSlot.Weights, _chunk.Index).Values!.Span[0]);
        Assert.Equal(Verdict.Rejected, _machine.Read(FromServer(2), StateSlot.Weights, _chunk.Index).Verdict);
        Assert.Equal(Verdict.Future, _machine.Read(FromServer(4), StateSlot.Weights, _chunk.Index).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Read(FromServer(3), 7, _chunk.Index).Verdict);
    }

    [Fact]
    public void A_frozen_partition_stays_where_it_is_and_takes_nothing_of_the_generation_before()
    {
        CompleteStep(0);

        Assert.Equal(new FrozenAt(Verdict.Accepted, 0), _machine.Freeze(FromServer(generation: 2)));

        Assert.Equal(Verdict.Stale, _machine.Commit(Commit()).Verdict);
        Assert.Equal(Verdict.Stale, Push(0, Left, 1));
        Assert.Equal(Verdict.Stale, _machine.Deliver(FromServer(), 0, Totals).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Pull(From(0), _chunk.Index).Verdict);
        Assert.Equal(Verdict.Stale, _machine.Read(FromServer(), StateSlot.Weights, _chunk.Index).Verdict);
        Assert.Equal(Verdict.Stale, Install(FromServer(), 3));
        Assert.Equal(0, _machine.Version);
        Assert.Equal(Verdict.Accepted, _machine.Begin(TwoWorkers(2)).Verdict);
    }

    [Fact]
    public void Messages_of_another_job_are_rejected()
    {
        Answer answer = Push(From(0) with { JobId = "other" }, Left);

        Assert.Equal(Verdict.Rejected, answer.Verdict);
        Assert.Contains("'other'", answer.Reason);
        Assert.Equal(Verdict.Rejected, _machine.Commit(Commit() with { Header = FromServer() with { JobId = "other" } }).Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Begin(TwoWorkers(2) with { JobId = "other" }).Verdict);
    }

    private static PartitionMachine Create(OptimizerSpec optimizer, long version = 0)
    {
        var plan = new PartitionPlan(Layout, 0, 1);
        var state = new PartitionState(plan, optimizer, version);
        foreach (Chunk chunk in plan.Chunks)
        {
            state.Install(StateSlot.Weights, chunk, Filled(chunk.Length, 10));
        }

        return new PartitionMachine(Job, optimizer, state);
    }

    private Verdict Push(int worker, TreeNode node, float value) =>
        _machine.Push(new GradientRoot(From(worker), _chunk.Index, node), Filled(_chunk.Length, value)).Verdict;

    private Verdict Install(MessageHeader header, float value, int slot = StateSlot.Weights) =>
        _machine.Install(header, slot, _chunk.Index, Filled(_chunk.Length, value)).Verdict;

    private Answer Push(MessageHeader header, TreeNode node) => _machine.Push(new GradientRoot(header, _chunk.Index, node), Filled(_chunk.Length, 1));

    private void CompleteStep(long step, long generation = 1)
    {
        _machine.Push(new GradientRoot(From(0, step, generation), _chunk.Index, Left), Filled(_chunk.Length, 1));
        _machine.Push(new GradientRoot(From(1, step, generation), _chunk.Index, Right), Filled(_chunk.Length, 2));
        _machine.Deliver(FromServer(step, generation), 0, Totals);
    }
}
