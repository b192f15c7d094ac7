using System.Text.Json;
using ConvNet.Client.Commands;
using ConvNet.Client.Tests.Runs;
using ConvNet.Client.Views;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Commands;

public sealed class JobCommandTests
{
    private readonly StringWriter _output = new();

    [Theory]
    [InlineData(JobState.Completed, 0, "run.completed")]
    [InlineData(JobState.Stopped, 0, "run.stopped")]
    [InlineData(JobState.Failed, 5, "run.failed")]
    [InlineData(JobState.Cancelled, 9, "run.failed")]
    [InlineData(JobState.Orphaned, 4, "run.failed")]
    public async Task Whoever_waits_gets_the_jobs_last_event_and_its_exit_code(JobState state, int code, string name)
    {
        var job = new FakeJob();
        job.Script.Enqueue(() => job.Train(3));
        job.Script.Enqueue(() =>
        {
            (state switch { JobState.Completed => (Action)job.Complete, JobState.Stopped => job.Stop, _ => job.Save })();
            job.Failure = state == JobState.Failed ? new JobFailure(5, "gradients are not finite.") : null;
            job.State = state;
        });

        using var events = new RunStream([new JsonLines(_output, FakeJob.Id)]);
        ExitCode found = await JobWaitCommand.WaitAsync(job, FakeJob.Id, events, TestContext.Current.CancellationToken);

        Assert.Equal(code, (int)found);
        JsonElement line = JsonDocument.Parse(_output.ToString()).RootElement;
        Assert.Equal(name, line.GetProperty("event").GetString());
        Assert.Equal(FakeJob.Id, line.GetProperty("jobId").GetString());
        Assert.Equal(state == JobState.Orphaned, _output.ToString().Contains("Go on with \\u0027convnet resume /runs/a\\u0027."));
    }

    [Fact]
    public async Task A_job_is_cancelled_by_one_order_and_awaited()
    {
        var job = new FakeJob();
        job.OrderLosses.Enqueue(new TimeoutException());
        job.Obey = order =>
        {
            Assert.Equal(JobOrderKind.Cancel, order.Kind);
            job.Script.Enqueue(() => { });
            job.Script.Enqueue(() =>
            {
                job.Save();
                job.State = JobState.Cancelled;
            });
        };

        JobStatus status = await JobCancelCommand.CancelAsync(job, FakeJob.Id, TestContext.Current.CancellationToken);

        Assert.Equal(JobState.Cancelled, status.State);
        Assert.NotNull(status.Checkpoint);
        Assert.Single(job.Orders.Distinct());
        Assert.Equal(2, job.Orders.Count);
    }

    [Fact]
    public async Task A_job_that_has_ended_is_not_cancelled_and_the_refusal_says_how_it_ended()
    {
        var job = new FakeJob { State = JobState.Failed, Failure = new JobFailure(5, "gradients are not finite.") };

        ConvNetException before = await Assert.ThrowsAsync<ConvNetException>(
            () => JobCancelCommand.CancelAsync(job, FakeJob.Id, TestContext.Current.CancellationToken));
        job.State = JobState.Running;
        job.Failure = null;
        job.Obey = _ => job.Complete();
        ConvNetException meanwhile = await Assert.ThrowsAsync<ConvNetException>(
            () => JobCancelCommand.CancelAsync(job, FakeJob.Id, TestContext.Current.CancellationToken));

        Assert.Equal((ExitCode.Conflict, ExitCode.Conflict), (before.ExitCode, meanwhile.ExitCode));
        Assert.Contains("it is failed at step 0 (gradients are not finite)", before.Message);
        Assert.Contains("it is completed at step 0", meanwhile.Message);
    }

    [Fact]
    public async Task A_job_in_json_has_the_fields_that_scripts_rely_on()
    {
        var job = new FakeJob();
        job.Train(7);
        JobStatus status = await job.StatusAsync(new StatusQuery()) with { Generation = 2, Reason = "waits for a worker" };

        Assert.Equal(
            """
            {"jobId":"fake","state":"running","step":7,"totalSteps":20,"model":"lenet","data":"none",
            "workers":[{"name":"local-1/0","silo":"local-1","shards":[0,1,2,3],"step":7}],
            "servers":[{"role":"coordinator","silo":"local-1","standby":null}],
            "generation":2,"reason":"waits for a worker","runFolder":"/runs/a","checkpointCache":null}
            """.ReplaceLineEndings(""),
            JobJson.Of(status).ToJsonString());
    }
}
