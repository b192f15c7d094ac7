using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Records;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Orleans.Storage;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// Keeps the ids of this cluster's jobs, the last ones first: all that are live, and so many others that they are <see cref="Most"/>; hosts the
/// <see cref="JobQueue"/>.
/// </summary>
[HeadPlacement, KeepAlive]
internal sealed class JobDirectoryGrain(
    [PersistentState("directory", JobGrain.Store)] IPersistentState<DirectoryRecord> record, ClusterHead head) : Grain, IJobDirectoryGrain, IRemindable
{
    private const int Most = 100;
    private static readonly TimeSpan WakePeriod = TimeSpan.FromMinutes(1);

    private readonly LinkedList<string> _jobs = [];
    private readonly JobQueue _queue = new();
    private long _lastNumber;

    private static double Now => Environment.TickCount64 / 1000.0;

    public async Task<long> RegisterAsync(string jobId)
    {
        // The job's own grain knows whether the id is in use; one that is here has told its name before, and was lost before it kept its record.
        _jobs.Remove(jobId);

        // The time lets the numbers go on where they were when the directory has forgotten them.
        long number = _lastNumber = Math.Max(_lastNumber + 1, DateTime.UtcNow.Ticks);
        _jobs.AddFirst(jobId);
        for (LinkedListNode<string>? oldest = _jobs.Last; _jobs.Count > Most && oldest is not null;)
        {
            LinkedListNode<string>? before = oldest.Previous;
            if (await GrainFactory.GetGrain<IJobControlGrain>(oldest.Value).ForgetAsync())
            {
                _jobs.Remove(oldest);
            }

            oldest = before;
        }

        await KeepAsync();
        return number;
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (record.RecordExists)
        {
            Array.ForEach(record.State.Jobs, job => _jobs.AddLast(job));
            _lastNumber = record.State.LastNumber;
        }

        if (head.Directory is not null)
        {
            await this.RegisterOrUpdateReminder("wake", WakePeriod, WakePeriod);
        }
    }

    /// <summary>A job that waits is led by a grain that nobody else calls: when its silo is lost, this is what has another one lead it.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        foreach (string job in _jobs.ToArray())
        {
            try
            {
                await GrainFactory.GetGrain<IJobControlGrain>(job).IsLiveAsync();
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                // The next reminder may find it.
            }
        }
    }

    public Task<string[]> ListAsync() => Task.FromResult(_jobs.ToArray());

    public Task<QueueTurn> TurnAsync(QueuedJob job) => Task.FromResult(_queue.Ask(job, Now));

    public Task LeaveQueueAsync(string jobId)
    {
        _queue.Leave(jobId);
        return Task.CompletedTask;
    }

    public Task<bool> MayGrowAsync(int priority) => Task.FromResult(_queue.MayGrow(priority, Now));

    /// <exception cref="InconsistentStateException">Another grain has become the directory: whoever asks again asks that one.</exception>
    private async Task KeepAsync()
    {
        record.State = new DirectoryRecord { Jobs = [.. _jobs], LastNumber = _lastNumber };
        try
        {
            await record.WriteStateAsync();
        }
        catch (InconsistentStateException)
        {
            DeactivateOnIdle();
            throw;
        }
    }
}
