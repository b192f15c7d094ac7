using ConvNet.Engine;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Placement;
using Orleans.Placement;

namespace ConvNet.Grains.Workers;

/// <summary>Hosts a <see cref="WorkerSession"/>; all it does on its turns is to pass orders on.</summary>
[PinnedPlacement, KeepAlive, Immovable]
internal sealed class WorkerGrain(DataCatalog catalog) : Grain, IWorkerGrain
{
    private WorkerSession? _session;

    public async Task PrepareAsync(WorkerAssignment assignment)
    {
        Stop();
        string name = this.GetPrimaryKeyString();
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var links = new WorkerLinks(GrainFactory, assignment);

        // Reading a data set takes seconds; it must not hold up a turn.
        _session = await Task.Run(() => new WorkerSession(assignment, job, catalog.Open(job.Data), links, name));
    }

    public Task RunAsync(long generation, long firstStep, long endStep)
    {
        SessionOf(generation).Train(firstStep, endStep);
        return Task.CompletedTask;
    }

    public Task EvaluateAsync(long generation, long version, int firstBlock, int endBlock)
    {
        SessionOf(generation).Evaluate(version, firstBlock, endBlock);
        return Task.CompletedTask;
    }

    public Task<WorkerStatus> StatusAsync() =>
        Task.FromResult(_session?.Status ?? new WorkerStatus(this.GetPrimaryKeyString(), 0, 0, 0, 0, 0, 0, 0, 0));

    public Task ReleaseAsync(string jobId)
    {
        if (_session?.Assignment.JobId == jobId)
        {
            Stop();
        }

        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Stop();
        return Task.CompletedTask;
    }

    private WorkerSession SessionOf(long generation)
    {
        if (_session is not { } session || session.Assignment.Generation != generation)
        {
            throw new JobException(
                ExitCode.Environment,
                $"worker {this.GetPrimaryKeyString()} has no assignment of generation {generation}" +
                (_session is null ? "; its silo has restarted: resume from the last checkpoint" : $" (it has {_session.Assignment.Generation})"));
        }

        return session;
    }

    private void Stop()
    {
        _session?.Dispose();
        _session = null;
    }
}
