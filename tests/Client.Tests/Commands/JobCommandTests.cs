using System.Text.Json;
using ConvNet.Client.Commands;
using ConvNet.Client.Runs;
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
        Assert.Equal(state == JobState.Orphaned, _output.ToString().Contains("Go on with \\u0027convnet job attach fake\\u0027, or "));
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
    public async Task The_list_of_jobs_tells_no_workers_of_those_that_have_ended()
    {
        var terminal = new Terminal(_output, TextWriter.Null, IsInteractive: false, UsesColor: false);
        var job = new FakeJob();
        JobStatus running = await job.StatusAsync(new StatusQuery());

        JobTable.Of(terminal, [running, running with { JobId = "past", State = JobState.Completed }], []).Write();

        Assert.Equal(["1", ""], _output.ToString().TrimEnd().Split('\n')[^2..].Select(line => WorkersIn(line)));

        // The column is the one before the priority, which is 0.
        static string WorkersIn(string line) => line.Split("none", 2)[1].Trim() is { Length: > 1 } both ? both.Split(' ')[0] : "";
    }

    [Fact]
    public async Task Whoever_attaches_is_told_from_the_beginning_and_through_a_pause()
    {
        var job = new FakeJob();
        job.Train(10);
        job.Save();
        job.Script.Enqueue(() => job.Tell(new RunEvent.Yielded(10, JobState.Paused, "it was paused by order.")));
        job.Script.Enqueue(() => job.State = JobState.Paused);
        job.Script.Enqueue(() => job.Tell(new RunEvent.Resumed(10, 2, ["a/0"])));
        job.Script.Enqueue(() => job.State = JobState.Running);
        job.Script.Enqueue(job.Complete);
        var plain = new StringWriter();
        using var view = new RunStream(
            [new JsonLines(_output, FakeJob.Id), new PlainView(new Terminal(plain, TextWriter.Null, IsInteractive: false, UsesColor: false))]);

        ExitCode code = await JobWaitCommand.FollowAsync(job, FakeJob.Id, view, view, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Ok, code);
        Assert.Equal(["checkpoint.saved", "job.paused", "job.resumed", "run.completed"], Names());
        Assert.Contains("The job is paused. Go on with 'convnet job resume fake'.", plain.ToString());
        Assert.Contains("The job goes on from step 10 in generation 2 with worker a/0.", plain.ToString());
    }

    [Fact]
    public async Task A_pause_is_one_order_that_is_awaited_and_a_job_that_ends_meanwhile_is_a_conflict()
    {
        var job = new FakeJob();
        job.OrderLosses.Enqueue(new TimeoutException());
        job.Obey = order => job.Script.Enqueue(() => job.State = order.Kind == JobOrderKind.Pause ? JobState.Paused : JobState.Queued);

        JobStatus paused = await JobPauseCommand.PauseAsync(job, FakeJob.Id, TestContext.Current.CancellationToken);
        JobStatus resumed = await JobResumeCommand.ResumeAsync(job, FakeJob.Id, TestContext.Current.CancellationToken);
        job.Obey = _ => job.Complete();
        ConvNetException ended = await Assert.ThrowsAsync<ConvNetException>(
            () => JobPauseCommand.PauseAsync(job, FakeJob.Id, TestContext.Current.CancellationToken));

        Assert.Equal((JobState.Paused, JobState.Queued), (paused.State, resumed.State));
        Assert.Equal([JobOrderKind.Pause, JobOrderKind.Pause, JobOrderKind.Resume, JobOrderKind.Pause], job.Orders.Select(order => order.Kind));
        Assert.Equal(ExitCode.Conflict, ended.ExitCode);
        Assert.Contains("it is completed at step 0 of 20", ended.Message);
    }

    [Fact]
    public async Task The_log_of_a_job_has_what_has_happened_and_the_end_if_there_is_one()
    {
        var job = new FakeJob();
        job.Tell(new RunEvent.MembersChanged(2, 7, ["a/0"], [], 1, "'a/0' has left (Käfer)", 1, 2, 1));
        using var lines = new RunStream([new LogLines(new Terminal(_output, TextWriter.Null, IsInteractive: false, UsesColor: false))]);

        await JobLogsCommand.PrintAsync(job, FakeJob.Id, lines, follow: false, TestContext.Current.CancellationToken);
        string running = _output.ToString();
        job.Complete();
        await JobLogsCommand.PrintAsync(job, FakeJob.Id, lines, follow: false, TestContext.Current.CancellationToken);

        Assert.Equal(
            "members.changed generation=2 step=7 lost=[\"a/0\"] joined=[] workers=1 reason=\"'a/0' has left (Käfer)\" " +
            "noticedSeconds=1 gapSeconds=2 stepsRepeated=1",
            running.TrimEnd());
        Assert.Contains("run.completed steps=0", _output.ToString()[running.Length..]);
    }

    [Fact]
    public void The_history_of_a_forgotten_job_is_in_the_run_folder_that_names_it()
    {
        using var folder = new TemporaryFolder();
        folder.Write(
            "events.jsonl",
            """
            {"event":"run.started","runFolder":"x","jobId":"first"}
            {"event":"run.stopped","steps":3,"jobId":"first"}
            {"event":"run.started","runFolder":"x","jobId":"second"}
            not json
            {"event":"checkpoint.saved","step":5}
            """);

        Assert.Equal(
            ["run.started", "checkpoint.saved"], RunFolderEvents.Find("second", folder.Path, "runs")!.Select(happened => happened["event"]!.ToString()));
        Assert.Null(RunFolderEvents.Find("third", folder.Path, "runs"));
        Assert.NotNull(RunFolderEvents.Find("first", null, Path.GetDirectoryName(folder.Path)!));
    }

    [Theory]
    [InlineData("my run ü", "myrun-")]
    [InlineData("???", "run-")]
    [InlineData("nightly.2", "nightly.2-")]
    public void A_made_up_id_is_one_that_a_cluster_takes(string folder, string start)
    {
        string id = RunRequest.MakeJobId(folder);
        Assert.StartsWith(start, id);
        Assert.Null(JobLimits.ProblemOfId(id));
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
            "protected":false,"generation":2,"reason":"waits for a worker","runFolder":"/runs/a","checkpointCache":null,"priority":0,"queuePosition":null}
            """.ReplaceLineEndings(""),
            JobJson.Of(status).ToJsonString());
    }

    private IEnumerable<string?> Names() => _output.ToString().TrimEnd().Split('\n').Select(line =>
        JsonDocument.Parse(line).RootElement.GetProperty("event").GetString());
}
