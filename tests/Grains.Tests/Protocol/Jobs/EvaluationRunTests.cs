using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;
using static ConvNet.Grains.Tests.Protocol.ProtocolFixture;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class EvaluationRunTests
{
    private static readonly Metrics[] First = [new(1, 100, 250), new(2, 101, 250)];
    private static readonly Metrics[] Second = [new(4, 102, 250), new(8, 103, 250), new(16, 10, 20)];

    /// <summary>Five blocks of test samples at version 3: two for the first worker, three for the second.</summary>
    private readonly EvaluationRun _run = new(TwoWorkers(), 3, samples: 1020);

    [Fact]
    public void Each_block_belongs_to_one_worker()
    {
        Assert.Equal((0, 2), _run.BlocksOf(0));
        Assert.Equal((2, 5), _run.BlocksOf(1));
    }

    [Fact]
    public void The_result_is_the_sum_over_all_blocks_whoever_comes_first()
    {
        Assert.Equal(Verdict.Accepted, _run.Take(From(1, 3), 2, Second).Verdict);
        Assert.False(_run.IsComplete);
        Assert.Equal(Verdict.Accepted, _run.Take(From(0, 3), 0, First).Verdict);

        Assert.True(_run.IsComplete);
        Assert.Equal(new Metrics(31, 416, 1020), _run.Result);
    }

    [Fact]
    public void Blocks_that_come_again_do_not_count_twice_and_other_results_are_a_conflict()
    {
        _run.Take(From(0, 3), 0, First);

        Assert.Equal(Verdict.Duplicate, _run.Take(From(0, 3), 0, First).Verdict);
        Answer answer = _run.Take(From(0, 3), 0, [First[0], new Metrics(2.5, 101, 250)]);
        Assert.Equal(Verdict.Conflict, answer.Verdict);
        Assert.Contains("a/0", answer.Reason);
    }

    [Fact]
    public void Results_of_another_job_generation_or_version_are_stale()
    {
        Assert.Equal(Verdict.Stale, _run.Take(From(0, 3, generation: 2), 0, First).Verdict);
        Assert.Equal(Verdict.Stale, _run.Take(From(0, 2), 0, First).Verdict);
        Assert.Equal(Verdict.Stale, _run.Take(From(0, 3) with { JobId = "other" }, 0, First).Verdict);
        Assert.False(_run.IsComplete);
    }

    [Fact]
    public void Blocks_of_another_worker_are_rejected()
    {
        Assert.Equal(Verdict.Rejected, _run.Take(From(0, 3), 2, Second).Verdict);
        Assert.Equal(Verdict.Rejected, _run.Take(From(0, 3), 0, First[..1]).Verdict);
        Assert.Equal(Verdict.Rejected, _run.Take(From(7, 3), 0, First).Verdict);
        Assert.Equal(Verdict.Rejected, _run.Take(From(0, 3), -1, First).Verdict);
    }
}
