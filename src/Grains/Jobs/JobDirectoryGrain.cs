using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;

namespace ConvNet.Grains.Jobs;

/// <summary>Keeps the ids of this cluster's jobs, the last ones first, at most <see cref="Most"/>.</summary>
[HeadPlacement, KeepAlive]
internal sealed class JobDirectoryGrain : Grain, IJobDirectoryGrain
{
    private const int Most = 100;

    private readonly LinkedList<string> _jobs = [];

    public Task RegisterAsync(string jobId)
    {
        if (_jobs.Contains(jobId))
        {
            throw new ConvNetException(ExitCode.Conflict, $"job id '{jobId}' is in use; choose another one.");
        }

        _jobs.AddFirst(jobId);
        if (_jobs.Count > Most)
        {
            _jobs.RemoveLast();
        }

        return Task.CompletedTask;
    }

    public Task<string[]> ListAsync() => Task.FromResult(_jobs.ToArray());
}
