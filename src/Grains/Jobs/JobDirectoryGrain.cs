using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>
/// Keeps the ids of this cluster's jobs, the last ones first: all that are live, and so many others that they are <see cref="Most"/>; hosts the
/// <see cref="JobQueue"/>.
/// </summary>
[HeadPlacement, KeepAlive]
internal sealed class JobDirectoryGrain : Grain, IJobDirectoryGrain
{
    private const int Most = 100;

    private readonly LinkedList<string> _jobs = [];
    private readonly JobQueue _queue = new();
    private long _lastNumber;

    private static double Now => Environment.TickCount64 / 1000.0;

    public async Task<long> RegisterAsync(string jobId)
    {
        if (_jobs.Contains(jobId))
        {
            throw new ConvNetException(ExitCode.Conflict, $"job id '{jobId}' is in use; choose another one.");
        }

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

        return number;
    }

    public Task<string[]> ListAsync() => Task.FromResult(_jobs.ToArray());

    public Task<QueueTurn> TurnAsync(QueuedJob job) => Task.FromResult(_queue.Ask(job, Now));

    public Task LeaveQueueAsync(string jobId)
    {
        _queue.Leave(jobId);
        return Task.CompletedTask;
    }

    public Task<bool> MayGrowAsync(int priority) => Task.FromResult(_queue.MayGrow(priority, Now));
}
