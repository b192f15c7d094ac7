using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Steps;

public class CoordinatorMachineTests
{
    private static readonly NonFiniteSource Bad = new("the gradient of 0.weight", "b/0");

    private readonly CoordinatorMachine _machine = Create(new Sgd { LearningRate = 0.5 });

    public CoordinatorMachineTests() => _machine.Begin(TwoWorkers());

    [Fact]
    public void A_step_is_decided_when_everybody_has_reported()
    {
        Assert.Null(_machine.Report(Partition(0, 9)).Decided);
        Assert.Null(_machine.Report(new BatchNormReport(FromServer(), null)).Decided);
        Assert.Null(_machine.Report(Worker(1)).Decided);

        StepOutcome outcome = _machine.Report(Worker(0)).Decided!;

        Assert.Equal(0, outcome.Decision.Step);
        Assert.Equal(0.5, outcome.Decision.Settings!.Value.LearningRate);
        Assert.Equal(6, outcome.GradientNorm);
        Assert.Equal(new Metrics(3, 2, 8), outcome.Batch);
        Assert.Equal(new JobPosition(1, 1, 0, new EpochTotals(0, new Metrics(3, 2, 8))), outcome.Position);
    }

    [Fact]
    public void Duplicates_do_not_count_twice_and_contradictions_are_conflicts()
    {
        _machine.Report(Partition(0, 9));
        Assert.Equal(Verdict.Duplicate, _machine.Report(Partition(0, 9)).Answer.Verdict);
        Assert.Equal(Verdict.Conflict, _machine.Report(Partition(0, 8)).Answer.Verdict);
        _machine.Report(Worker(1));
        Assert.Equal(Verdict.Duplicate, _machine.Report(Worker(1)).Answer.Verdict);
        Answer conflict = _machine.Report(Worker(1) with { Roots = [new Metrics(7, 1, 4)] }).Answer;
        Assert.Equal(Verdict.Conflict, conflict.Verdict);
        Assert.Contains("b/0", conflict.Reason);
        _machine.Report(new BatchNormReport(FromServer(), null));
        Assert.Equal(Verdict.Duplicate, _machine.Report(new BatchNormReport(FromServer(), null)).Answer.Verdict);
    }

    [Fact]
    public void Reports_of_the_wrong_form_or_time_are_not_taken()
    {
        Assert.Equal(Verdict.Rejected, _machine.Report(Partition(0, 9) with { SquareSums = [1] }).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Report(Partition(0, 9) with { Partition = 5 }).Answer.Verdict);
        Assert.Equal(Verdict.Rejected, _machine.Report(Worker(0) with { Roots = [] }).Answer.Verdict);
        Assert.Equal(Verdict.Future, _machine.Report(Partition(1, 9)).Answer.Verdict);
        Assert.Equal(Verdict.Future, _machine.Report(Worker(0, generation: 2)).Answer.Verdict);
        Assert.Equal(Verdict.Stale, _machine.Report(Worker(0, generation: 0)).Answer.Verdict);
    }

    [Fact]
    public void A_non_finite_step_is_skipped_and_leaves_the_epochs_totals_alone()
    {
        StepOutcome outcome = Run(0, Bad)!;

        Assert.True(outcome.Decision.IsSkip);
        Assert.Contains("0.weight", outcome.Warning);
        Assert.Contains("b/0", outcome.Warning);
        Assert.Equal(new JobPosition(1, 0, 1, default), outcome.Position);
    }

    [Fact]
    public void A_finite_step_ends_a_row_of_skips_and_three_in_a_row_end_the_job()
    {
        Run(0, Bad);
        Run(1, Bad);
        Assert.False(Run(2, null)!.Decision.IsSkip);
        Run(3, Bad);
        Run(4, Bad);
        Assert.Null(_machine.Failure);

        Assert.Null(Run(5, Bad));

        Assert.Contains("step 5", _machine.Failure);
        Assert.Contains("b/0", _machine.Failure);
    }

    [Fact]
    public void A_non_finite_loss_names_the_worker_that_reported_it()
    {
        _machine.Report(Partition(0, 9));
        _machine.Report(new BatchNormReport(FromServer(), null));
        _machine.Report(Worker(1) with { Roots = [new Metrics(double.NaN, 0, 4)] });

        string warning = _machine.Report(Worker(0)).Finding!.Warning;

        Assert.Contains("the loss from worker b/0, data shards 2 to 3 (samples 4 to 7 of the batch)", warning);
    }

    [Fact]
    public void Gradients_are_clipped_to_the_global_norm()
    {
        CoordinatorMachine machine = Create(new Sgd(), maxGradientNorm: 3);
        machine.Begin(TwoWorkers());

        StepOutcome outcome = Run(machine, 0, null)!;

        Assert.Equal(3 / (6 + 1e-6), outcome.Decision.Settings!.Value.ClipFactor);
    }

    [Fact]
    public void Adams_corrections_count_applied_steps_only()
    {
        CoordinatorMachine machine = Create(new Adam());
        machine.Begin(TwoWorkers());
        Run(machine, 0, Bad);

        Assert.Equal(1 - 0.9, Run(machine, 1, null)!.Decision.Settings!.Value.BiasCorrection1);
        Assert.Equal(1 - 0.9 * 0.9, Run(machine, 2, null)!.Decision.Settings!.Value.BiasCorrection1);
    }

    [Fact]
    public void Lars_gets_a_rate_per_tensor_from_the_norms()
    {
        var lars = new Lars { TrustCoefficient = 0.5, Epsilon = 0 };
        CoordinatorMachine machine = Create(lars);
        machine.Begin(TwoWorkers());

        StepOutcome outcome = Run(machine, 0, null)!;

        Assert.Equal([0.5 * Math.Sqrt(32) / Math.Sqrt(18), 1, 1], outcome.Decision.Settings!.Value.TensorRates);
    }

    [Fact]
    public void Totals_start_anew_in_each_epoch()
    {
        Run(0, null);
        Run(1, null);
        EpochTotals whole = Run(2, null)!.Position.Epoch;
        EpochTotals next = Run(3, null)!.Position.Epoch;

        Assert.Equal((0, 20L), (whole.Epoch, whole.Sums.Count));
        Assert.Equal((1, 8L), (next.Epoch, next.Sums.Count));
    }

    [Fact]
    public void A_new_generation_forgets_reports_of_an_undecided_step()
    {
        _machine.Report(Partition(0, 9));
        _machine.Begin(TwoWorkers(2));

        Assert.Equal(Verdict.Accepted, _machine.Report(Partition(0, 8, generation: 2)).Answer.Verdict);
    }

    [Fact]
    public void A_decided_step_that_runs_again_is_told_again_once_all_workers_are_through()
    {
        StepDecision first = Run(0, null)!.Decision;
        _machine.Begin(TwoWorkers(2));

        Assert.Null(_machine.Report(Worker(0, generation: 2)).Resend);
        Assert.Null(_machine.Report(Partition(0, 9, generation: 2)).Resend);
        StepDecision again = _machine.Report(Worker(1, generation: 2)).Resend!;

        Assert.Equal(first with { Header = FromServer(0, 2), IsToldAgain = true }, again);
        Assert.Equal(1, _machine.Position.Step);
    }

    [Fact]
    public void A_decided_step_that_sums_to_other_values_the_second_time_is_a_conflict()
    {
        Run(0, null);
        _machine.Begin(TwoWorkers(2));

        Assert.Equal(Verdict.Conflict, _machine.Report(Partition(0, 9.5, generation: 2)).Answer.Verdict);
    }

    [Fact]
    public void A_frozen_coordinator_decides_nothing_until_the_next_generation_begins()
    {
        Run(0, null);
        Report(1);
        Assert.Equal(new FrozenAt(Verdict.Accepted, 1), _machine.Freeze(FromServer(generation: 2)));
        Assert.Equal(Verdict.Stale, _machine.Report(Worker(0, 1)).Answer.Verdict);
        Assert.Null(_machine.Take(FromServer(), 0).Decided);
        Assert.Null(_machine.Take(FromServer(), _machine.BatchNormServer).Decided);
        Assert.Equal(Verdict.Stale, _machine.NotifyAt(FromServer(1)).Answer.Verdict);

        Assert.Equal(new FrozenAt(Verdict.Accepted, 1), _machine.Freeze(FromServer(generation: 2)));
        _machine.Begin(TwoWorkers(2, firstStep: 1));
        Assert.NotNull(Run(_machine, 1, null, generation: 2));
    }

    [Fact]
    public void A_step_that_waits_only_for_an_acknowledgement_is_not_decided_by_a_frozen_coordinator()
    {
        CoordinatorMachine machine = Create(new Sgd(), partitions: 5);
        machine.Begin(TwoWorkers());
        StepOutcome outcome = RunFour(machine, 0)!;
        RunFour(machine, 1);
        machine.Freeze(FromServer(generation: 2));

        CoordinatorAnswer answer = machine.Take(outcome.Decision.Header, 4);

        Assert.Equal((outcome, null), (answer.Committed, answer.Decided));
        Assert.Equal(1, machine.Position.Step);
    }

    [Fact]
    public void An_acknowledgement_that_arrives_at_a_frozen_coordinator_still_commits_the_step()
    {
        StepOutcome outcome = Run(0, null)!;
        _machine.Take(outcome.Decision.Header, 0);
        _machine.Freeze(FromServer(generation: 2));

        Assert.Equal(outcome, _machine.Take(outcome.Decision.Header, _machine.BatchNormServer).Committed);
    }

    [Fact]
    public void A_step_is_committed_when_every_server_has_taken_its_decision()
    {
        StepOutcome outcome = Run(0, null)!;
        Assert.Equal((1L, 0L), (_machine.Position.Step, _machine.Committed.Step));

        Assert.Null(_machine.Take(outcome.Decision.Header, 0).Committed);
        Assert.Null(_machine.Take(outcome.Decision.Header, 0).Committed);
        StepOutcome? committed = _machine.Take(outcome.Decision.Header, _machine.BatchNormServer).Committed;

        Assert.Equal(outcome, committed);
        Assert.Equal(outcome.Position, _machine.Committed);
        Assert.Null(_machine.Take(outcome.Decision.Header, 0).Committed);
    }

    [Fact]
    public void A_server_that_reports_the_next_step_has_taken_the_decision()
    {
        Run(0, null);
        _machine.Report(Partition(1, 9));

        Assert.NotNull(_machine.Report(new BatchNormReport(FromServer(1), null)).Committed);
    }

    [Fact]
    public void The_next_step_is_not_decided_before_a_server_without_blocks_has_taken_this_one()
    {
        CoordinatorMachine machine = Create(new Sgd(), partitions: 5);
        machine.Begin(TwoWorkers());
        StepOutcome outcome = RunFour(machine, 0)!;
        Assert.Null(RunFour(machine, 1));

        CoordinatorAnswer answer = machine.Take(outcome.Decision.Header, 4);

        Assert.Equal(outcome, answer.Committed);
        Assert.Equal(1, answer.Decided!.Decision.Step);
    }

    [Fact]
    public void A_server_without_blocks_that_missed_a_decision_is_told_again_when_the_workers_are_through()
    {
        CoordinatorMachine machine = Create(new Sgd(), partitions: 5);
        machine.Begin(TwoWorkers());
        StepOutcome outcome = RunFour(machine, 0)!;
        for (int server = 0; server < 6; server++)
        {
            _ = server == 4 ? default : machine.Take(outcome.Decision.Header, server);
        }

        machine.Begin(TwoWorkers(2));
        Assert.Null(machine.Report(Worker(0, generation: 2)).Resend);

        Assert.Equal(FromServer(0, 2), machine.Report(Worker(1, generation: 2)).Resend!.Header);
        Assert.Equal(outcome, machine.Take(FromServer(0, 2), 4).Committed);
    }

    [Fact]
    public void A_generation_that_repeats_no_step_finds_the_last_one_committed()
    {
        StepOutcome outcome = Run(0, null)!;

        Assert.Equal(outcome, _machine.Begin(TwoWorkers(2, firstStep: 1)).Committed);
    }

    [Fact]
    public void The_job_is_told_once_when_the_steps_that_it_asked_for_are_committed()
    {
        Assert.Equal(Verdict.Accepted, _machine.NotifyAt(FromServer(1)).Answer.Verdict);
        Assert.Equal(Verdict.Duplicate, _machine.NotifyAt(FromServer(1)).Answer.Verdict);
        StepOutcome outcome = Run(0, null)!;
        Assert.Null(_machine.Take(outcome.Decision.Header, 0).Due);

        Assert.Equal(FromServer(1), _machine.Take(outcome.Decision.Header, _machine.BatchNormServer).Due);
        Assert.Null(_machine.Take(outcome.Decision.Header, 0).Due);
        Assert.Equal(FromServer(1), _machine.NotifyAt(FromServer(1)).Due);
    }

    [Fact]
    public void Another_generation_forgets_when_to_notify_and_an_old_order_has_no_effect()
    {
        _machine.NotifyAt(FromServer(1));
        _machine.Begin(TwoWorkers(2));
        Assert.Equal(Verdict.Stale, _machine.NotifyAt(FromServer(1)).Answer.Verdict);
        StepOutcome outcome = Run(_machine, 0, null, generation: 2)!;
        _machine.Take(outcome.Decision.Header, 0);

        Assert.Null(_machine.Take(outcome.Decision.Header, _machine.BatchNormServer).Due);
    }

    [Fact]
    public void A_late_repeat_of_an_earlier_order_does_not_replace_the_one_that_counts()
    {
        _machine.NotifyAt(FromServer(1));
        StepOutcome first = Run(0, null)!;
        _machine.Take(first.Decision.Header, 0);
        _machine.Take(first.Decision.Header, _machine.BatchNormServer);
        _machine.NotifyAt(FromServer(2));

        Assert.Equal(Verdict.Stale, _machine.NotifyAt(FromServer(1)).Answer.Verdict);
        StepOutcome second = Run(1, null)!;
        _machine.Take(second.Decision.Header, 0);
        Assert.Equal(FromServer(2), _machine.Take(second.Decision.Header, _machine.BatchNormServer).Due);
    }

    [Fact]
    public void Acknowledgements_of_a_decision_that_was_told_again_do_not_tell_it_once_more()
    {
        StepOutcome outcome = Run(0, null)!;
        _machine.Begin(TwoWorkers(2));
        _machine.Report(Worker(0, generation: 2));
        _machine.Report(Partition(0, 9, generation: 2));
        Assert.NotNull(_machine.Report(Worker(1, generation: 2)).Resend);

        Assert.Null(_machine.Take(FromServer(0, 2), 0).Resend);
        Assert.Null(_machine.Take(FromServer(0, 2), 0).Resend);
        Assert.NotNull(_machine.Report(new BatchNormReport(FromServer(0, 2), null)).Resend);
        Assert.Equal(outcome, _machine.Take(FromServer(0, 2), _machine.BatchNormServer).Committed);
    }

    private static CoordinatorMachine Create(OptimizerSpec optimizer, double? maxGradientNorm = null, int partitions = 1) =>
        new(Job, Layout, optimizer, new ConstantSchedule(), maxGradientNorm, partitions, hasBatchNorm: true, JobPosition.Start);

    /// <summary>Four blocks with the same sums.</summary>
    private static PartitionReport Partition(long step, double squareSum, NonFiniteSource? bad = null, long generation = 1) =>
        new(FromServer(step, generation), 0, [squareSum, squareSum, squareSum, squareSum], [], bad);

    private static WorkerReport Worker(int worker, long step = 0, long generation = 1)
    {
        int samples = (int)Math.Min(4, Job.BatchOf(step) / 2);
        return new WorkerReport(From(worker, step, generation), [new Metrics(1 + worker, 1, samples)]);
    }

    /// <summary>What is not finite is found a second time, by another worker, in the generation that follows.</summary>
    private static StepOutcome? Run(CoordinatorMachine machine, long step, NonFiniteSource? bad)
    {
        StepOutcome? outcome = Run(machine, step, bad is null ? null : bad with { Worker = "a/0" }, machine.Generation);
        if (bad is null)
        {
            return outcome;
        }

        Assert.Null(outcome);
        machine.Begin(TwoWorkers(machine.Generation + 1, step));
        return Run(machine, step, bad, machine.Generation);
    }

    private static StepOutcome? Run(CoordinatorMachine machine, long step, NonFiniteSource? bad, long generation)
    {
        PartitionReport report = Partition(step, 9, bad, generation);
        if (machine.Report(report).Answer.Verdict == Verdict.Rejected)
        {
            machine.Report(report with { WeightSquareSums = [16, 16, 16, 16] });
        }

        machine.Report(new BatchNormReport(FromServer(step, generation), null));
        machine.Report(Worker(1, step, generation));
        return machine.Report(Worker(0, step, generation)).Decided;
    }

    /// <summary>A step of four partitions with a block each, and one without any.</summary>
    private static StepOutcome? RunFour(CoordinatorMachine machine, long step)
    {
        for (int partition = 0; partition < 4; partition++)
        {
            machine.Report(new PartitionReport(FromServer(step), partition, [9], [], null));
        }

        machine.Report(new BatchNormReport(FromServer(step), null));
        machine.Report(Worker(1, step));
        return machine.Report(Worker(0, step)).Decided;
    }

    /// <summary>Everything but the report of worker 0.</summary>
    private void Report(long step)
    {
        _machine.Report(Partition(step, 9));
        _machine.Report(new BatchNormReport(FromServer(step), null));
        _machine.Report(Worker(1, step));
    }

    private StepOutcome? Run(long step, NonFiniteSource? bad) => Run(_machine, step, bad);
}
