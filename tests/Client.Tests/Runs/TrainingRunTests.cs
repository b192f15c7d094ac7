using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Models;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Data;
using ConvNet.Grains.Runs;
using ConvNet.Silo.Clustering;
using ConvNet.Silo.Processes;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class TrainingRunTests
{
    private const string Cluster = "dev://127.0.0.1:11111";

    private readonly ManualClock _clock = new();
    private readonly NotingSink _sink = new();

    [Fact]
    public void The_plan_evaluates_and_saves_after_each_epoch_and_does_what_the_configuration_says_besides()
    {
        EvaluationResult[] evaluations = [new(188, 0, 0.5, 0.75)];
        var checkpoint = new CheckpointSection { EverySteps = 5, EveryMinutes = 1.5, Keep = 3, KeepEvery = 2 };
        RunRequest request = Request(new TrainConfiguration { Checkpoint = checkpoint }) with { StopAfter = 77, Checkpoint = "/runs/a/checkpoints/x" };

        JobSubmission submission = TrainingRun.Compose(request, evaluations);

        var plan = new TrainingPlan
        {
            EvaluateEvery = 188,
            SaveEvery = 5,
            SaveMinutes = 1.5,
            StopAfter = 77,
            Keep = 3,
            KeepEvery = 376,
            Evaluations = evaluations,
        };
        Assert.Equal(plan, submission.Plan);
        Assert.Equal(("/runs/a", "/runs/a/checkpoints/x", 2), (submission.RunFolder, submission.Checkpoint, submission.Layout.Workers));
        Assert.Null(submission.Configuration);
        Assert.Equal(376, JobSpec.FromJson(submission.JobJson).TotalSteps);
    }

    [Fact]
    public async Task A_job_is_submitted_in_the_name_of_the_client_that_asks_how_it_is_and_followed_to_its_end()
    {
        var job = new FakeJob();
        job.OrderLosses.Enqueue(new TimeoutException());
        job.Script.Enqueue(() => job.Train(2));
        job.Script.Enqueue(job.Complete);
        using var stop = new StopSignal(_ => { });

        RunEvent end = await RunAsync(job, stop, Cluster);

        Assert.IsType<RunEvent.Completed>(end);
        Assert.Equal(["step 0", "step 1"], _sink.Seen);
        Assert.Equal(2, job.Submissions.Count);
        Assert.NotNull(job.Submissions[0].Client);
        Assert.Equal(job.Submissions[0], job.Submissions[1]);
        Assert.All(job.Queries, query => Assert.Equal(job.Submissions[0].Client, query.Client));
        Assert.Empty(job.Orders);
    }

    [Fact]
    public async Task A_job_in_this_process_needs_no_lease()
    {
        var job = new FakeJob();
        job.Script.Enqueue(job.Complete);
        using var stop = new StopSignal(_ => { });

        await RunAsync(job, stop);

        Assert.Null(Assert.Single(job.Submissions).Client);
        Assert.All(job.Queries, query => Assert.Null(query.Client));
    }

    [Fact]
    public async Task A_reader_that_has_stopped_does_not_cost_the_lease()
    {
        var job = new FakeJob();
        using var stop = new StopSignal(_ => { });
        using var run = new RunStream([new StoppedReader(job)]);
        RunRequest request = Request(new TrainConfiguration()) with { Cluster = SiloCluster.Parse(Cluster) };

        await new TrainingRun(job, request, run, stop, _clock).RunAsync(TrainingRun.Compose(request, []));

        Assert.True(job.Renewals >= StoppedReader.Renewals);
    }

    [Fact]
    public async Task A_stop_signal_is_one_order_that_is_repeated_until_the_job_has_it()
    {
        var job = new FakeJob();
        using var stop = new StopSignal(_ => { });
        job.Script.Enqueue(() => stop.Request(ExitCode.Interrupted));
        job.OrderLosses.Enqueue(null);
        job.OrderLosses.Enqueue(new TimeoutException());
        job.OrderLosses.Enqueue(new SiloUnavailableException());
        job.Obey = _ => job.Save();
        Task<RunEvent> running = RunAsync(job, stop);
        while (job.Orders.Count < 3)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        job.Stop();

        Assert.IsType<RunEvent.Stopped>(await running);
        Assert.Equal(3, job.Orders.Count);
        JobOrder order = Assert.Single(job.Orders.Distinct());
        Assert.Equal((JobOrderKind.Stop, job.Submissions[0].Client), (order.Kind, order.Client));
        Assert.Equal(["saved 0"], _sink.Seen);
    }

    [Fact]
    public async Task A_stop_signal_that_comes_too_late_changes_nothing()
    {
        var job = new FakeJob();
        using var stop = new StopSignal(_ => { });
        job.Script.Enqueue(() =>
        {
            job.Complete();
            stop.Request(ExitCode.Terminated);
        });

        Assert.IsType<RunEvent.Completed>(await RunAsync(job, stop));
    }

    [Fact]
    public async Task A_client_that_cannot_write_says_so_and_then_lets_the_job_go()
    {
        var job = new FakeJob();
        job.Script.Enqueue(() => job.Train(1));
        using var stop = new StopSignal(_ => { });
        using var run = new RunStream([_sink]);
        _sink.Trouble = new IOException("disk full");
        var training = new TrainingRun(job, Request(new TrainConfiguration()), run, stop, _clock);

        await Assert.ThrowsAsync<IOException>(() => training.RunAsync(TrainingRun.Compose(Request(new TrainConfiguration()), [])));
        Assert.Empty(job.Orders);
        await training.AbandonAsync();

        JobOrder order = Assert.Single(job.Orders);
        Assert.Equal((JobOrderKind.Abandon, job.Submissions[0].Client), (order.Kind, order.Client));
    }

    [Fact]
    public async Task A_job_that_does_not_take_its_last_order_holds_nobody_up()
    {
        var job = new FakeJob();
        using var stop = new StopSignal(_ => { });
        using var run = new RunStream([]);
        var training = new TrainingRun(job, Request(new TrainConfiguration()), run, stop, _clock);
        job.OrderLosses.Enqueue(new TimeoutException());

        await training.AbandonAsync();
        job.State = JobState.Failed;
        await training.AbandonAsync();

        Assert.Equal(2, job.Orders.Count);
    }

    private static RunRequest Request(TrainConfiguration configuration)
    {
        configuration.Layout.Workers = 2;
        JobSpec spec = JobFactory.Create(
            configuration, ModelFile.Load("lenet"), DataCatalog.Open(configuration.Data.Path, null, null, null));
        return new RunRequest(FakeJob.Id, "/runs/a", configuration, spec, null, 0, null, null);
    }

    private async Task<RunEvent> RunAsync(FakeJob job, StopSignal stop, string? cluster = null)
    {
        RunRequest request = Request(new TrainConfiguration()) with { Cluster = cluster is null ? null : SiloCluster.Parse(cluster) };
        using var run = new RunStream([_sink]);
        return await new TrainingRun(job, request, run, stop, _clock).RunAsync(TrainingRun.Compose(request, []));
    }

    /// <summary>Reads nothing until the lease has been renewed some times; then the job ends.</summary>
    private sealed class StoppedReader(FakeJob job) : RunSink
    {
        public const int Renewals = 3;

        public override void Handle(RunEvent happened)
        {
            SpinWait.SpinUntil(() => job.Renewals >= Renewals, TimeSpan.FromSeconds(20));
            job.Complete();
        }
    }
}
