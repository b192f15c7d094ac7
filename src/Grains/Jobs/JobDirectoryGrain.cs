using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Jobs;

/// <summary>Keeps the ids of this cluster's jobs, the last ones first: all that are live, and so many others that they are <see cref="Most"/>.</summary>
[HeadPlacement, KeepAlive]
internal sealed class JobDirectoryGrain : Grain, IJobDirectoryGrain
{
    private const int Most = 100;

    private readonly LinkedList<string> _jobs = [];

    public async Task RegisterAsync(string jobId)
    {
        if (_jobs.Contains(jobId))
        {
            throw new ConvNetException(ExitCode.Conflict, $"job id '{jobId}' is in use; choose another one.");
        }

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
    }

    public Task<string[]> ListAsync() => Task.FromResult(_jobs.ToArray());
}
