using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Workers that are reserved for a job, and do not work for it yet, or never will.</summary>
[Collection(nameof(ClusterCollection))]
public sealed class ReservationTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1), SomeQuestions = TimeSpan.FromSeconds(3);
    private static readonly JobSpec Job = TestJobs.Job("lenet", batch: 20, steps: 1_000_000);

    private readonly RiggedSilo _cluster = new();
    private readonly TemporaryFolder _folder = new();
    private readonly TaskCompletionSource<string> _loading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayLoad = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask InitializeAsync() => _cluster.InitializeAsync();

    public ValueTask DisposeAsync()
    {
        _mayLoad.TrySetResult();
        return _cluster.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_that_its_job_has_forgotten_frees_itself_and_one_that_loads_the_data_does_not()
    {
        (IJobGrain job, string joiner) = await JoiningAsync();
        string?[] holders = await Task.WhenAll(_cluster.Workers.Select(worker => Worker(worker).HolderAsync()));
        string forgotten = _cluster.Workers[Array.IndexOf(holders, null)];
        IWorkerGrain worker = Worker(forgotten);
        string gone = $"gone-{Guid.NewGuid():N}";
        Assert.Equal(gone, await worker.ReserveAsync(gone));
        await UntilAsync(async () => await worker.HolderAsync() is null, $"{forgotten} is still reserved");
        Assert.Equal("grows", await worker.ReserveAsync("grows"));
        await UntilAsync(async () => await worker.HolderAsync() is null, $"{forgotten} is still reserved for a job that has none of it");

        await Task.Delay(SomeQuestions, TestContext.Current.CancellationToken);
        Assert.Equal("grows", await Worker(joiner).HolderAsync());
        await StopAsync(job);
    }

    [Fact]
    public async Task A_worker_that_is_reserved_while_its_job_trains_stands_in_the_record()
    {
        (IJobGrain job, string joiner) = await JoiningAsync();
        await UntilAsync(
            () => Task.FromResult(_cluster.Store.RecordOf("grows")!.Held.Contains(joiner)), $"{joiner} is reserved, and does not stand in the record");
        await StopAsync(job);
    }

    [Fact]
    public async Task A_worker_that_is_placed_anew_while_it_loads_the_data_stays_with_its_job_to_the_end()
    {
        (IJobGrain job, string joiner) = await JoiningAsync();
        await job.OrderAsync(JobOrder.Of(JobOrderKind.Pause));
        await TestJobs.UntilAsync(job, status => status.State == JobState.Paused);
        await job.OrderAsync(JobOrder.Of(JobOrderKind.Resume));
        JobStatus placed = await TestJobs.UntilAsync(job, status => status.State == JobState.Running && status.Workers.Any(worker => worker.Name == joiner));
        _mayLoad.SetResult();
        await TestJobs.UntilAsync(job, status => status.Step > placed.Step + 100);
        Assert.Contains(joiner, _cluster.Store.RecordOf("grows")!.Held);
        await StopAsync(job);
    }

    /// <summary>
    /// A job of two workers that has got one only, and has just found the other one, which is not let load the data. A third and a fourth worker have
    /// nothing to do.
    /// </summary>
    private async Task<(IJobGrain Job, string Joiner)> JoiningAsync()
    {
        IJobGrain blocker = await SubmitAsync("blocker", workers: 3, least: 0);
        await TestJobs.UntilAsync(blocker, status => status.Step > 0);
        IJobGrain job = await SubmitAsync("grows", workers: 2, least: 1);
        await TestJobs.UntilAsync(job, status => status.Step > 0);
        _cluster.Meet = async (worker, method) =>
        {
            if (method == nameof(IWorkerGrain.LoadAsync))
            {
                _loading.TrySetResult(worker);
                await _mayLoad.Task;
            }
        };
        await StopAsync(blocker);
        return (job, await _loading.Task.WaitAsync(Deadline, TestContext.Current.CancellationToken));
    }

    private async Task<IJobGrain> SubmitAsync(string id, int workers, int least)
    {
        IJobGrain grain = _cluster.Grains.GetGrain<IJobGrain>(id);
        JobSubmission submission = TestJobs.Submission(Job, Path.Combine(_folder.Path, id), workers);
        await grain.SubmitAsync(submission with { Layout = submission.Layout with { MinWorkers = least } });
        return grain;
    }

    /// <summary>Nothing is reserved for a job that has ended.</summary>
    private async Task StopAsync(IJobGrain job)
    {
        await job.OrderAsync(JobOrder.Of(JobOrderKind.Stop));
        await TestJobs.EndAsync(job);
        string id = job.GetPrimaryKeyString();
        Assert.DoesNotContain(id, await Task.WhenAll(_cluster.Workers.Select(worker => Worker(worker).HolderAsync())));
    }

    private IWorkerGrain Worker(string key) => _cluster.Grains.GetGrain<IWorkerGrain>(key);

    private static async Task UntilAsync(Func<Task<bool>> isSo, string otherwise)
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (!await isSo())
        {
            Assert.True(Environment.TickCount64 < end, otherwise);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
