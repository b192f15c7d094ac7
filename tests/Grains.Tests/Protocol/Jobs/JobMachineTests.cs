using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobMachineTests
{
    private readonly JobMachine _job = new("train-1", totalSteps: 10);

    [Fact]
    public void A_job_runs_evaluates_saves_and_completes()
    {
        _job.Start(2);
        _job.Run(10);
        _job.Reach(9);
        Assert.Equal((JobState.Running, 9L), (_job.State, _job.Step));
        _job.Reach(10);
        _job.BeginEvaluation();
        _job.EndEvaluation();
        _job.BeginCheckpoint();
        _job.EndCheckpoint();
        _job.End(JobState.Completed);

        Assert.Equal(JobState.Completed, _job.State);
    }

    [Fact]
    public void Orders_that_make_no_sense_are_refused_with_what_the_job_is_doing()
    {
        _job.Start(0);
        _job.Run(4);
        _job.Reach(3);

        var refusal = Assert.Throws<ConvNetException>(_job.BeginCheckpoint);

        Assert.Equal(ExitCode.Conflict, refusal.ExitCode);
        Assert.Contains("running until step 4 and is at step 3", refusal.Message);
        Assert.Throws<ConvNetException>(() => _job.Start(0));
        Assert.Throws<ConvNetException>(() => _job.Run(5));
        Assert.Throws<ConvNetException>(() => _job.End(JobState.Stopped));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public void A_run_must_end_ahead_and_within_the_job(long until)
    {
        _job.Start(0);

        Assert.Equal(ExitCode.BadInput, Assert.Throws<ConvNetException>(() => _job.Run(until)).ExitCode);
    }

    [Fact]
    public void A_job_completes_only_at_its_last_step_and_stops_anywhere()
    {
        _job.Start(5);

        Assert.Throws<ConvNetException>(() => _job.End(JobState.Completed));
        _job.End(JobState.Stopped);
        _job.End(JobState.Stopped);
        Assert.Equal(JobState.Stopped, _job.State);
    }

    [Fact]
    public void The_first_failure_stays()
    {
        _job.Start(0);
        _job.Fail("worker a/0 is silent");
        _job.Fail("another");
        _job.End(JobState.Cancelled);

        Assert.Equal((JobState.Failed, "worker a/0 is silent"), (_job.State, _job.Failure));
        Assert.Contains("worker a/0 is silent", Assert.Throws<ConvNetException>(() => _job.Run(1)).Message);
    }

    [Fact]
    public void A_running_job_can_be_cancelled_and_then_has_no_more_generations()
    {
        _job.Start(0);
        _job.Run(10);
        Assert.Equal([1, 2], [_job.NextGeneration(), _job.NextGeneration()]);
        _job.End(JobState.Cancelled);

        Assert.True(_job.HasEnded);
        Assert.Throws<ConvNetException>(() => _job.NextGeneration());
    }

    [Fact]
    public void Steps_that_are_told_late_change_nothing()
    {
        _job.Start(0);
        _job.Run(5);
        _job.Reach(5);
        _job.Reach(3);
        _job.Reach(7);

        Assert.Equal((JobState.Idle, 5L), (_job.State, _job.Step));
    }
}
