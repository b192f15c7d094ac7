using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Jobs that lose a worker, and what they say of it, also while the store of their records is away.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class StoreOutageTests : IAsyncLifetime, IDisposable
{
    /// <summary>More than the lease.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(4);

    private readonly RiggedSilo _cluster = new();
    private readonly TemporaryFolder _folder = new();

    public ValueTask InitializeAsync() => _cluster.InitializeAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_client_that_cannot_be_heard_while_the_store_is_away_keeps_its_job()
    {
        var asClient = new StatusQuery(SinceEvent: 0, Client: "client");
        IJobGrain job = await SubmitAsync("outage");
        JobStatus running = await TestJobs.UntilAsync(job, status => status.Step > 0, asClient);
        string worker = running.Workers[1].Name;
        _cluster.Store.IsAway = true;
        await ExhaustAsync("outage", running);
        JobStatus away = await TestJobs.UntilAsync(job, status => status.Reason is not null);
        await Task.Delay(Silence, TestContext.Current.CancellationToken);
        await job.StatusAsync(asClient);
        NotKeptException notKept = await Assert.ThrowsAsync<NotKeptException>(() => job.OrderAsync(JobOrder.Of(JobOrderKind.Save, client: "client")));
        _cluster.Store.IsAway = false;
        JobStatus back = await TestJobs.UntilAsync(job, status => ChangeOf(status) is not null, asClient);
        JobStatus goesOn = await TestJobs.UntilAsync(
            job, status => status.State == JobState.Orphaned || status.Step > back.Step + 20, asClient);

        Assert.Matches(
            "^cannot be kept: the cluster's store has kept nothing since [0-9:]{8} UTC \\(the store is away\\); it trains on, but takes on and replaces no " +
            "worker, and does not end, before it is\\.$",
            away.Reason);
        Assert.Matches(
            "^has taken this, and does it once it is kept, but the cluster's store has kept nothing since .* \\(the store is away\\); look", notKept.Message);
        Assert.NotNull(goesOn.Checkpoint);
        Assert.Equal(JobState.Running, goesOn.State);
        RunEvent.MembersChanged change = ChangeOf(back)!;
        Assert.Equal([worker], change.Lost);
        Assert.Equal($"{worker} has given up (its memory is full)", change.Reason);
        await StopAsync(job);
    }

    [Fact]
    public async Task A_worker_that_cannot_be_reached_when_its_generation_starts_is_left_out()
    {
        var asClient = new StatusQuery(SinceEvent: 0, Client: "client");
        IJobGrain job = await SubmitAsync("unreached");
        JobStatus running = await TestJobs.UntilAsync(job, status => status.Step > 0, asClient);
        string spent = running.Workers[1].Name, worker = running.Workers[2].Name;
        _cluster.Meet = (called, method) => called == worker && method == nameof(IWorkerGrain.PrepareAsync)
            ? throw new ConvNetException(ExitCode.Environment, "its line is cut.")
            : Task.CompletedTask;
        await ExhaustAsync("unreached", running);
        JobStatus changed = await TestJobs.UntilAsync(job, status => ChangeOf(status) is not null, asClient);

        RunEvent.MembersChanged change = ChangeOf(changed)!;
        Assert.Equal([spent, worker], change.Lost);
        Assert.Equal(2, change.Workers);
        Assert.Equal($"{spent} has given up (its memory is full); {worker} cannot be reached (its line is cut)", change.Reason);
        await StopAsync(job);
    }

    private static RunEvent.MembersChanged? ChangeOf(JobStatus status) =>
        status.Events.Select(happened => happened.Event).OfType<RunEvent.MembersChanged>().FirstOrDefault();

    private async Task<IJobGrain> SubmitAsync(string id)
    {
        IJobGrain job = _cluster.Grains.GetGrain<IJobGrain>(id);
        await job.SubmitAsync(
            TestJobs.Submission(TestJobs.Job("lenet", batch: 20, steps: 1_000_000), Path.Combine(_folder.Path, id), workers: 4) with { Client = "client" });
        return job;
    }

    /// <summary>The second worker of a job finds that its memory is full.</summary>
    private Task ExhaustAsync(string id, JobStatus running) => _cluster.Grains.GetGrain<IJobControlGrain>(id).FailedAsync(
        new MessageHeader(id, running.Generation, running.Step, Worker: 1), "step", new JobFailure((int)ExitCode.Resources, "its memory is full."));

    private static async Task StopAsync(IJobGrain job)
    {
        await job.OrderAsync(JobOrder.Of(JobOrderKind.Stop, client: "client"));
        Assert.Equal(JobState.Stopped, (await TestJobs.EndAsync(job)).State);
    }
}
