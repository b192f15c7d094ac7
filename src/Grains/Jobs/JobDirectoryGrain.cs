using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Records;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// Keeps the ids of this cluster's jobs, the last ones first: all that are live, and so many others that they are <see cref="Most"/>; hosts the
/// <see cref="JobQueue"/>.
/// </summary>
[HeadPlacement, KeepAlive]
internal sealed partial class JobDirectoryGrain(
    [PersistentState("directory", JobGrain.Store)] IPersistentState<DirectoryRecord> record,
    SiloCatalog catalog,
    ClusterHead head,
    ILocalSiloDetails self,
    ILogger<JobDirectoryGrain> logger)
    : Grain, IJobDirectoryGrain, IRemindable
{
    private const int Most = 100;
    private static readonly TimeSpan WakePeriod = TimeSpan.FromMinutes(1);

    private readonly LinkedList<string> _jobs = [];
    private readonly JobQueue _queue = new();

    /// <summary>Those of them that are known to have ended: nobody needs to lead them on.</summary>
    private readonly HashSet<string> _ended = [];
    private long _lastNumber;

    private static double Now => Environment.TickCount64 / 1000.0;

    public async Task<long> RegisterAsync(string jobId)
    {
        // The job's own grain knows whether the id is in use; one that is here has told its name before, and was lost before it kept its record.
        _jobs.Remove(jobId);
        _ended.Remove(jobId);

        // The time lets the numbers go on where they were when the directory has forgotten them.
        long number = _lastNumber = Math.Max(_lastNumber + 1, DateTime.UtcNow.Ticks);
        _jobs.AddFirst(jobId);
        for (LinkedListNode<string>? oldest = _jobs.Last; _jobs.Count > Most && oldest is not null;)
        {
            LinkedListNode<string>? before = oldest.Previous;
            if (await TryForgetAsync(oldest.Value))
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
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.WhenAll(_jobs.Except(_ended).ToArray().Select(WakeAsync));

    public Task<string[]> ListAsync() => Task.FromResult(_jobs.ToArray());

    public Task<QueueTurn> TurnAsync(QueuedJob job) => Task.FromResult(_queue.Ask(job, Now));

    public Task LeaveQueueAsync(string jobId)
    {
        _queue.Leave(jobId);
        return Task.CompletedTask;
    }

    public Task<bool> MayGrowAsync(int priority) => Task.FromResult(_queue.MayGrow(priority, Now));

    public Task LeaveSiloAsync(string silo)
    {
        if (silo == self.Name && head.Directory is not null && catalog.Silos().Any(other => other.Servers))
        {
            MigrateOnIdle();
        }

        return Task.CompletedTask;
    }

    private async Task WakeAsync(string job)
    {
        try
        {
            if (!await GrainFactory.GetGrain<IJobControlGrain>(job).NeedsCheckpointsAsync())
            {
                _ended.Add(job);
            }
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // The next reminder may find it.
        }
        catch (Exception e)
        {
            LogUnreadable(logger, job, e.Message);
        }
    }

    /// <summary>A job that does not answer, or whose record cannot be read, stays: it costs nobody else a submission.</summary>
    private async Task<bool> TryForgetAsync(string job)
    {
        try
        {
            return await GrainFactory.GetGrain<IJobControlGrain>(job).ForgetAsync();
        }
        catch (Exception e)
        {
            LogUnreadable(logger, job, e.Message);
            return false;
        }
    }

    /// <exception cref="ConvNetException">The store does not take the list of jobs (exit code 4).</exception>
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
        catch (Exception e) when (!GrainFailure.IsLostContact(e))
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"the cluster's store does not take the list of jobs: {GrainFailure.FirstLine(e.Message)}. " +
                "See what Redis says of its memory and its disk, and submit the job again.",
                e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} does not answer the list of jobs: {Message}")]
    private static partial void LogUnreadable(ILogger logger, string job, string message);
}
