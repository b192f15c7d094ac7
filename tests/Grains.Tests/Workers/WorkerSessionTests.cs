using ConvNet.Engine.Models;
using ConvNet.Engine.Training;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;
using ConvNet.Grains.Tests.Cluster;
using ConvNet.Grains.Workers;
using Xunit;

namespace ConvNet.Grains.Tests.Workers;

/// <summary>One device over several generations, with the first half of the shards in each.</summary>
public sealed class WorkerSessionTests : IDisposable
{
    private const int Batch = 8;

    private static readonly JobSpec Job = TestJobs.Job(
        ModelFile.Parse("""{"name":"n","input":[1,28,28],"layers":[{"type":"flatten"},{"type":"fullyConnected","out":10}]}"""), Batch, steps: 20);

    private readonly WorkerProgress _progress = new();
    private readonly WorkerDevice _device;
    private readonly FakeServers _servers;

    public WorkerSessionTests()
    {
        _device = new WorkerDevice("a/0", CpuDevice.Instance, 1, Job, DataCatalog.Open(Job.Data.NameOrPath), _progress);
        _servers = new FakeServers(_device.Runner.Model);
    }

    private WorkerStatus Status => _progress.StatusOf("a/0", default, 1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public async Task An_order_trains_its_steps_and_then_the_worker_has_no_work()
    {
        Begin(1, 0).Session.Train(0, 3);

        await Patience.Until(() => Status is { Step: 3, Phase: WorkerPhase.Idle });

        Assert.Equal([0, 1, 2], _servers.Coordinator.Reports.Select(report => report.Header.Step));
        Assert.Equal(3 * Batch / 2, Status.Samples);
    }

    [Fact]
    public async Task A_newer_generation_takes_the_engine_out_of_a_wait_and_goes_on_with_the_same_device()
    {
        Func<MessageHeader, int, Task<BlockAnswer>> serve = _servers.Partition.OnPull;
        _servers.Partition.OnPull = (header, chunk) =>
            header is { Generation: 1, Step: 1 } ? new TaskCompletionSource<BlockAnswer>().Task : serve(header, chunk);
        (WorkerSession first, EngineWaits waits) = Begin(1, 0);
        first.Train(0, 20);
        first.Evaluate(20, 0, 1);
        await Patience.Until(() => Status is { Step: 1, Phase: WorkerPhase.WaitingForParameters });

        WorkerSession second = Begin(2, 1).Session;
        second.Train(1, 3);
        Assert.Single(_servers.Coordinator.Reports);
        waits.End();
        await Patience.Until(() => Status is { Step: 3, Phase: WorkerPhase.Idle });

        Assert.Equal(
            [(1, 0), (2, 1), (2, 2)], _servers.Coordinator.Reports.Select(report => (report.Header.Generation, report.Header.Step)));
        Assert.Equal(3 * Batch / 2, Status.Samples);
        Assert.Empty(_servers.Job.Failures);
    }

    [Fact]
    public async Task Orders_of_an_ended_generation_have_no_effect()
    {
        (WorkerSession first, EngineWaits waits) = Begin(1, 0);
        waits.End();
        first.Train(0, 20);
        first.Evaluate(20, 0, 1);
        Begin(2, 4).Session.Train(4, 5);

        await Patience.Until(() => Status is { Step: 5, Phase: WorkerPhase.Idle });

        Assert.Equal([4], _servers.Coordinator.Reports.Select(report => report.Header.Step));
        Assert.Empty(_servers.Job.Failures);
    }

    [Fact]
    public async Task A_step_that_two_generations_run_is_counted_once()
    {
        // The answer to the first report of step 1 never comes.
        _servers.Coordinator.OnReport = header =>
            header is { Generation: 1, Step: 1 } ? new TaskCompletionSource<Answer>().Task : Task.FromResult<Answer>(Verdict.Accepted);
        (WorkerSession first, EngineWaits waits) = Begin(1, 0);
        first.Train(0, 20);
        await Patience.Until(() => Status is { Step: 1, Phase: WorkerPhase.WaitingForPush } && _servers.Coordinator.Reports.Count == 2);
        waits.End();

        Begin(2, 1).Session.Train(1, 3);
        await Patience.Until(() => Status is { Step: 3, Phase: WorkerPhase.Idle });

        Assert.Equal(3 * Batch / 2, Status.Samples);
    }

    [Fact]
    public async Task A_step_that_had_been_decided_before_the_worker_came_is_not_counted()
    {
        _servers.Coordinator.OnReport = header => Task.FromResult<Answer>(header.Step == 4 ? Verdict.AlreadyApplied : Verdict.Accepted);

        Begin(2, 4).Session.Train(4, 6);
        await Patience.Until(() => Status is { Step: 6, Phase: WorkerPhase.Idle });

        Assert.Equal(Batch / 2, Status.Samples);
    }

    [Fact]
    public async Task A_report_whose_answer_was_lost_counts()
    {
        bool lost = false;
        _servers.Coordinator.OnReport = _ =>
        {
            bool lose = !lost;
            lost = true;
            return lose ? Task.FromException<Answer>(new TimeoutException("lost.")) : Task.FromResult<Answer>(Verdict.AlreadyApplied);
        };

        Begin(1, 0).Session.Train(0, 1);
        await Patience.Until(() => Status is { Step: 1, Phase: WorkerPhase.Idle });

        Assert.Equal(Batch / 2, Status.Samples);
    }

    [Fact]
    public async Task A_failure_is_told_to_the_job_and_ends_the_orders_behind_it()
    {
        _servers.Partition.OnPush = _ => Task.FromResult(new Answer(Verdict.Conflict, "worker a/0 sent it twice"));
        WorkerSession session = Begin(1, 0).Session;
        session.Train(0, 1);
        session.Train(1, 2);

        await Patience.Until(() => !_servers.Job.Failures.IsEmpty && Status.Phase == WorkerPhase.Idle);

        Assert.Contains("worker a/0, step 0: push of step 0", Assert.Single(_servers.Job.Failures).Message);
        Assert.Empty(_servers.Coordinator.Reports);
    }

    private (WorkerSession Session, EngineWaits Waits) Begin(long generation, long firstStep) =>
        _servers.Begin(_device, generation, firstStep, new ShardRange(0, 2));
}
