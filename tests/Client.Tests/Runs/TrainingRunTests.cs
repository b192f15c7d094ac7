using System.Text.Json;
using ConvNet.Client.Configuration;
using ConvNet.Client.Runs;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly StringWriter _output = new();

    [Fact]
    public async Task Every_epoch_is_evaluated_and_saved_and_the_last_checkpoint_keeps_the_result()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);

        ExitCode code = await RunAsync(job);

        Assert.Equal(ExitCode.Ok, code);
        Assert.Equal(["evaluate 10", "save 10", "evaluate 20", "save 20", "evaluate 25", "save 25 as final", "end Completed"], Orders(job));
        Assert.Equal(
            ["warning", "epoch.completed", "checkpoint.saved", "epoch.completed", "checkpoint.saved", "epoch.completed", "checkpoint.saved", "run.completed"],
            Events());
        Assert.Equal(1 + 25 + 3, File.ReadLines(_temporary["metrics.csv"]).Count());
    }

    [Theory]
    [InlineData(17, "evaluate 10", "save 10", "save 17", "end Stopped")]
    [InlineData(10, "save 10", "end Stopped")]
    [InlineData(25, "evaluate 10", "save 10", "evaluate 20", "save 20", "save 25", "end Stopped")]
    public async Task A_run_stops_after_the_given_step_without_evaluating_it(long stopAfter, params string[] orders)
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);

        ExitCode code = await RunAsync(job, stopAfter);

        Assert.Equal(ExitCode.Ok, code);
        Assert.Equal(orders, Orders(job));
        Assert.Equal("run.stopped", Events()[^1]);
    }

    [Fact]
    public async Task A_run_that_was_stopped_at_the_end_of_an_epoch_evaluates_it_when_it_goes_on()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10, startStep: 20);

        await RunAsync(job);

        Assert.Equal(["evaluate 20", "evaluate 25", "save 25 as final", "end Completed"], Orders(job));
    }

    [Fact]
    public async Task A_run_that_was_stopped_at_its_last_step_is_completed_when_it_goes_on()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10, startStep: 25);

        await RunAsync(job);

        Assert.Equal(["evaluate 25", "save 25 as final", "end Completed"], Orders(job));
    }

    [Fact]
    public async Task A_stop_signal_ends_the_run_soon_with_a_checkpoint()
    {
        using var stop = new StopSignal(_ => { });
        var job = new FakeJob(totalSteps: 1_000_000, stepsPerEpoch: 500_000);
        job.BeforeRun = step =>
        {
            if (step > 10)
            {
                stop.Request(ExitCode.Interrupted);
            }
        };

        ExitCode code = await RunAsync(job, stop: stop);

        Assert.Equal(ExitCode.Interrupted, code);
        Assert.Equal(2, job.Orders.Count(order => order == "train"));
        Assert.StartsWith("save ", Orders(job)[0]);
        Assert.Equal("run.stopped", Events()[^1]);
    }

    [Fact]
    public async Task A_run_saves_every_few_steps_besides_the_ends_of_its_epochs_and_never_twice_at_one_step()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);

        await RunAsync(job, plan: Plan(new CheckpointSection { EverySteps = 5 }));

        Assert.Equal(
            ["save 5", "evaluate 10", "save 10", "save 15", "evaluate 20", "save 20", "evaluate 25", "save 25 as final", "end Completed"],
            Orders(job));
    }

    [Fact]
    public async Task A_run_saves_when_its_last_checkpoint_is_old_enough()
    {
        var clock = new ManualClock();
        var job = new FakeJob(totalSteps: 100, stepsPerEpoch: 100) { BeforeRun = _ => clock.Advance(TimeSpan.FromMinutes(1)) };

        await RunAsync(job, plan: Plan(new CheckpointSection { EveryMinutes = 3 }, clock));

        string[] saves = [.. Orders(job).Where(order => order.StartsWith("save", StringComparison.Ordinal))];
        Assert.Equal(job.Orders.Count(order => order == "train") / 3, saves.Length - 1);
        Assert.True(saves.Length > 2);
        Assert.Equal("save 100 as final", saves[^1]);
    }

    [Fact]
    public async Task A_run_keeps_what_its_settings_say_and_the_best_evaluation_first()
    {
        var job = new FakeJob(totalSteps: 30, stepsPerEpoch: 10);
        EvaluationResult[] earlier = [new(4, 100, 0.7, 0.5), new(2, 100, 0.1, 0.4), new(8, 100, 0.2, 0.5)];

        await RunAsync(job, plan: new SavePlan(new CheckpointSection { Keep = 3, KeepEvery = 2 }, earlier, TimeProvider.System));

        Assert.Equal((3, 20), (job.Retention!.Newest, job.Retention.EverySteps));
        Assert.Equal([8, 10, 20, 30, 4, 2], job.Retention.ByMerit);
    }

    [Theory]
    [InlineData(ExitCode.HungUp)]
    [InlineData(ExitCode.Terminated)]
    public void A_hang_up_never_ends_the_process_and_the_first_request_decides_the_exit_code(ExitCode first)
    {
        var told = new List<string>();
        using var stop = new StopSignal(told.Add);

        stop.Request(first);
        stop.Request(ExitCode.HungUp);
        stop.Request(ExitCode.HungUp);

        Assert.Equal(first, stop.Requested);
        Assert.Single(told);
    }

    [Fact]
    public async Task A_failed_job_ends_the_run_with_the_jobs_own_code_and_words()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10) { Failure = new JobFailure(5, "gradients are not finite") };

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => RunAsync(job));

        Assert.Equal(ExitCode.TrainingFailed, error.ExitCode);
        Assert.Equal("gradients are not finite", error.Message);
    }

    [Fact]
    public async Task A_call_that_dies_with_a_silo_is_made_again()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);
        job.Troubles.Enqueue(new TimeoutException());
        job.Troubles.Enqueue(new SiloUnavailableException());

        Assert.Equal(ExitCode.Ok, await RunAsync(job));
    }

    [Fact]
    public async Task A_job_that_was_lost_with_its_silo_is_a_failure_of_the_environment()
    {
        var job = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);
        job.Troubles.Enqueue(new ConvNetException(ExitCode.BadInput, "no job 'fake' in this cluster"));

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => RunAsync(job));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.Contains("has left", error.Message);
    }

    [Fact]
    public async Task A_silo_that_dies_under_an_order_is_told_in_plain_words_and_the_jobs_own_failure_goes_first()
    {
        var silent = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);
        silent.BeforeRun = _ =>
        {
            silent.Troubles.Enqueue(new ConvNetException(ExitCode.BadInput, "no job 'fake' in this cluster"));
            throw new OrleansException("Exception while sending message: Orleans.Runtime.Messaging.ConnectionFailedException to S127.0.0.1:11112:3");
        };
        var telling = new FakeJob(totalSteps: 25, stepsPerEpoch: 10);
        telling.BeforeRun = _ =>
        {
            telling.Failure = new JobFailure(4, "silo 'node-2' has left");
            throw new OrleansException("Exception while sending message");
        };

        ConvNetException plain = await Assert.ThrowsAsync<ConvNetException>(() => RunAsync(silent));
        Directory.Delete(_temporary.Path, recursive: true);
        ConvNetException own = await Assert.ThrowsAsync<ConvNetException>(() => RunAsync(telling));

        Assert.Equal((ExitCode.Environment, ExitCode.Environment), (plain.ExitCode, own.ExitCode));
        Assert.Contains("no longer answers (127.0.0.1:11112); the run was at step 0; start the silo again", plain.Message);
        Assert.Equal("silo 'node-2' has left", own.Message);
    }

    public void Dispose() => _temporary.Dispose();

    private async Task<ExitCode> RunAsync(FakeJob job, long? stopAfter = null, StopSignal? stop = null, SavePlan? plan = null)
    {
        RunFolder folder = RunFolder.Create(_temporary.Path);
        using var run = new RunStream([new JsonLines(_output), new MetricsFile(folder.MetricsPath, 0)]);
        using var signal = new StopSignal(_ => { });
        return await new TrainingRun(job, folder, run, plan ?? Plan(new CheckpointSection()), lastEvaluatedStep: -1, stop ?? signal).RunAsync(stopAfter);
    }

    private static SavePlan Plan(CheckpointSection settings, TimeProvider? clock = null) => new(settings, [], clock ?? TimeProvider.System);

    private static string[] Orders(FakeJob job) => [.. job.Orders.Where(order => order != "train")];

    private string[] Events() =>
        [.. _output.ToString().TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!)];
}
