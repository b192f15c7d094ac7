using System.Diagnostics;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

public class WorkerProgressTests
{
    private readonly WorkerProgress _progress = new();

    private long Samples => _progress.StatusOf("a/0", default, 1).Samples;

    [Fact]
    public void Every_step_adds_its_samples()
    {
        _progress.Count(0, 4);
        _progress.Count(1, 4);
        _progress.Count(2, 2);

        Assert.Equal(10, Samples);
    }

    [Fact]
    public void A_step_that_runs_again_is_counted_as_it_ran_last()
    {
        _progress.Count(0, 4);
        _progress.Count(1, 4);
        _progress.Count(1, 8);

        Assert.Equal(12, Samples);
    }

    [Fact]
    public void A_step_that_had_been_decided_stays_as_it_was_counted_then()
    {
        _progress.Count(0, 4);
        _progress.Count(1, 4);
        _progress.Count(1, 8);
        _progress.TakeCountBack();
        Assert.Equal(8, Samples);

        _progress.Count(2, 8);
        Assert.Equal(16, Samples);
    }

    [Fact]
    public void A_step_that_others_had_done_is_not_counted()
    {
        _progress.Count(7, 4);
        _progress.TakeCountBack();
        Assert.Equal(0, Samples);

        _progress.Count(8, 4);
        Assert.Equal(4, Samples);
    }

    [Fact]
    public void Only_steps_that_came_to_their_end_count_as_completed_with_their_shards_and_without_their_waits()
    {
        long start = Stopwatch.GetTimestamp() - Stopwatch.Frequency;
        _progress.EndBatchNorm(Stopwatch.GetTimestamp() - Stopwatch.Frequency / 4);
        _progress.AddTraining(start, shards: 3);
        _progress.AddTraining(start, shards: 0);
        CompletedSteps completed = _progress.StatusOf("a/0", default, 1).Completed;

        Assert.Equal((1, 3), (completed.Steps, completed.Shards));
        Assert.InRange(completed.Seconds - completed.ComputeSeconds, 0.2, completed.Seconds - 0.5);
    }

    [Fact]
    public void Steps_that_run_again_since_the_job_went_back_are_not_counted_twice()
    {
        for (long step = 0; step < 10; step++)
        {
            _progress.Count(step, 4);
        }

        for (long step = 6; step < 12; step++)
        {
            _progress.Count(step, 4);
        }

        Assert.Equal(48, Samples);
    }
}
