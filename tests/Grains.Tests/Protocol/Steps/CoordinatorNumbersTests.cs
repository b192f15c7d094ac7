using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Steps;

/// <summary>What becomes of a step whose values are not finite, or not the same twice.</summary>
public class CoordinatorNumbersTests
{
    private static readonly SampleRange Samples = new(new ShardRange(2, 4), 4, 8);
    private static readonly NonFiniteSource ByA = new("layer 0 (gradient of 0.weight)", "a/0", Samples);
    private static readonly NonFiniteSource ByB = ByA with { Worker = "b/0" };

    private CoordinatorMachine _machine = Create(NonFinitePolicy.Skip);

    public CoordinatorNumbersTests() => _machine.Begin(TwoWorkers());

    [Fact]
    public void A_step_that_is_not_finite_is_computed_once_more_before_it_is_decided()
    {
        CoordinatorAnswer answer = Report(ByA);

        Assert.Null(answer.Decided);
        Assert.Null(answer.Finding!.Expelled);
        Assert.Equal(
            "step 0 has a value that is not finite: layer 0 (gradient of 0.weight) from worker a/0, data shards 2 to 3 (samples 4 to 7 of the batch); " +
            "it is computed once more, with its data shards at other workers.",
            answer.Finding.Warning);
        CoordinatorAnswer again = _machine.Report(Worker(0));
        Assert.Equal((Verdict.Duplicate, null, null), (again.Answer.Verdict, again.Finding, again.Decided));
    }

    [Fact]
    public void A_second_worker_with_the_same_result_makes_it_a_skip()
    {
        Report(ByA);
        Next();
        Assert.True(Report(ByB).Decided!.Decision.IsSkip);
        Assert.Equal((1, 0, 1), (_machine.Position.Step, _machine.Position.Updates, _machine.Position.SkipsInARow));
    }

    [Fact]
    public void The_same_worker_again_is_no_second_opinion_as_long_as_there_are_others()
    {
        Report(ByA);
        for (int repeat = 0; repeat < 4; repeat++)
        {
            Next();
            Assert.Contains("once more", Report(ByA).Finding!.Warning);
        }

        Next();
        Assert.True(Report(ByA).Decided!.Decision.IsSkip);
    }

    [Fact]
    public void The_only_worker_computes_it_twice()
    {
        Assignment alone = TwoWorkers(2) with { Workers = [new AssignedWorker("a/0", 1, new ShardRange(0, 4), 1)] };
        _machine.Begin(alone);
        Assert.Contains("by the same worker, the only one", Report(ByA, workers: 1).Finding!.Warning);
        _machine.Begin(alone with { Generation = 3 });

        Assert.True(Report(ByA, workers: 1).Decided!.Decision.IsSkip);
    }

    [Fact]
    public void A_step_that_is_finite_the_second_time_is_applied_when_nobody_contradicts()
    {
        Report(ByA);
        Next();

        Assert.False(Report(null).Decided!.Decision.IsSkip);
    }

    [Fact]
    public void The_policy_to_stop_ends_the_job_with_the_first_confirmed_step()
    {
        _machine = Create(NonFinitePolicy.Stop);
        _machine.Begin(TwoWorkers());
        Assert.NotNull(Report(ByA).Finding);
        Next();

        CoordinatorAnswer end = Report(ByB);

        Assert.Null(end.Decided);
        Assert.Null(end.Finding);
        Assert.StartsWith(
            "step 0 has a value that is not finite: layer 0 (gradient of 0.weight) from worker b/0, data shards 2 to 3 (samples 4 to 7 of the batch). " +
            "Lower the learning rate (--learning-rate)",
            end.Failure);
        Assert.Contains("train.clipNorm", end.Failure);
    }

    [Fact]
    public void A_worker_that_is_proved_wrong_is_taken_out_and_the_step_is_not_decided()
    {
        Report(ByA);
        Next();

        StepFinding finding = Report(null, Differing(new RootClaim("a/0", 0, false), new RootClaim("b/0", 1, true))).Finding!;

        Assert.Equal("a/0", finding.Expelled);
        Assert.Contains("worker a/0 has computed layer 0 (gradient of 0.weight), data shards 2 to 3 (samples 4 to 7 of the batch) of step 0", finding.Warning);
        Assert.Equal(0, _machine.Position.Step);
    }

    [Fact]
    public void Two_workers_that_differ_end_the_job_when_no_third_can_tell()
    {
        CoordinatorAnswer answer = Report(null, Differing(new RootClaim("a/0", 0, true), new RootClaim("b/0", 1, true)));

        Assert.Null(answer.Decided);
        Assert.Null(answer.Finding);
        Assert.Contains("workers a/0, b/0 do not get the same bits", answer.Failure);
    }

    [Fact]
    public void A_third_worker_is_asked_when_two_differ()
    {
        Assignment three = TwoWorkers(2) with { Workers = [.. TwoWorkers().Workers, new AssignedWorker("c/0", 1, new ShardRange(4, 4), 1)] };
        _machine.Begin(three);
        CoordinatorAnswer answer = Report(null, Differing(new RootClaim("a/0", 0, true), new RootClaim("b/0", 1, true)), workers: 3);

        Assert.Null(_machine.Failure);
        Assert.Null(answer.Finding!.Expelled);
        Assert.Contains("workers a/0, b/0 do not get the same bits", answer.Finding.Warning);
    }

    [Fact]
    public void Whoever_sums_a_decided_step_otherwise_than_the_others_is_taken_out_and_the_decision_is_not_told_again()
    {
        Report(null);
        Next();
        Disagreement differing = Differing(new RootClaim("a/0", 0, true), new RootClaim("c/0", 0, true), new RootClaim("b/0", 1, true));
        CoordinatorAnswer answer = _machine.Report(Partition(null, differing) with { SquareSums = [8, 9, 9, 9] });

        Assert.Equal((Verdict.Stale, "b/0"), (answer.Answer.Verdict, answer.Finding!.Expelled));
        Assert.Equal(
            "worker b/0 has computed layer 0 (gradient of 0.weight), data shards 2 to 3 (samples 4 to 7 of the batch) of step 0 wrongly, as others show; " +
            "its machine may be faulty: the job goes on without it, and takes it no more.",
            answer.Finding.Warning);
        _machine.Report(new BatchNormReport(Header(), null));
        _machine.Report(Worker(0));
        Assert.Null(_machine.Report(Worker(1)).Resend);

        Next();
        _machine.Report(Partition(null));
        _machine.Report(Worker(0));
        Assert.NotNull(_machine.Report(Worker(1)).Resend);
    }

    [Fact]
    public void Nobody_else_who_could_tell_who_is_wrong_about_a_decided_step_ends_the_job()
    {
        Report(null);
        Next();
        CoordinatorAnswer answer = _machine.Report(
            Partition(null, Differing(new RootClaim("a/0", 0, true), new RootClaim("b/0", 1, true))) with { SquareSums = [8, 9, 9, 9] });

        Assert.Null(answer.Finding);
        Assert.StartsWith("workers a/0, b/0 do not get the same bits in layer 0", answer.Failure);
        Assert.Contains("of step 0, and there is no other worker", answer.Failure);
    }

    [Fact]
    public void Batch_norm_sums_of_a_decided_step_must_be_those_of_the_decision()
    {
        Report(null);
        Next();
        CoordinatorAnswer answer = _machine.Report(new BatchNormReport(Header(), null, null, Sums: 7));

        Assert.Equal(Verdict.Conflict, answer.Answer.Verdict);
        Assert.StartsWith("batch norm has summed step 0 again with other values", answer.Answer.Reason);
    }

    [Fact]
    public void What_the_batch_norms_see_comes_before_what_follows_from_it()
    {
        _machine.Report(Partition(ByA));
        _machine.Report(new BatchNormReport(Header(), ByB with { What = "layer 1 (batch-norm moments)" }));
        _machine.Report(Worker(0) with { Roots = [new Metrics(double.NaN, 0, 4)] });

        Assert.Contains("layer 1 (batch-norm moments) from worker b/0", _machine.Report(Worker(1)).Finding!.Warning);
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_told_with_the_layer_where_it_was_seen()
    {
        _machine.Report(Partition(ByA));
        _machine.Report(new BatchNormReport(Header(), null));
        _machine.Report(Worker(0));

        string warning = _machine.Report(Worker(1) with { Roots = [new Metrics(double.PositiveInfinity, 0, 4)] }).Finding!.Warning;

        Assert.Contains("the loss, then layer 0 (gradient of 0.weight) from worker b/0, data shards 2 to 3 (samples 4 to 7 of the batch)", warning);
    }

    private static CoordinatorMachine Create(NonFinitePolicy policy) =>
        new(Job, Layout, new Sgd(), new ConstantSchedule(), null, 1, hasBatchNorm: true, JobPosition.Start, policy);

    private static Disagreement Differing(params RootClaim[] claims) => new("layer 0 (gradient of 0.weight)", Samples, claims, 0);

    private MessageHeader Header() => FromServer(0, _machine.Generation);

    private PartitionReport Partition(NonFiniteSource? bad, Disagreement? differing = null) => new(Header(), 0, [9, 9, 9, 9], [], bad, differing);

    private WorkerReport Worker(int worker, int roots = 1) =>
        new(From(worker, 0, _machine.Generation), [.. Enumerable.Repeat(new Metrics(1, 1, 4), roots)]);

    private void Next() => _machine.Begin(TwoWorkers(_machine.Generation + 1));

    private CoordinatorAnswer Report(NonFiniteSource? bad, Disagreement? differing = null, int workers = 2)
    {
        _machine.Report(Partition(bad, differing));
        _machine.Report(new BatchNormReport(Header(), null));
        for (int worker = workers - 1; worker > 0; worker--)
        {
            _machine.Report(Worker(worker, worker == 2 ? 0 : 1));
        }

        return _machine.Report(Worker(0));
    }
}
