using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;
using ConvNet.Grains.Placement;
using Orleans.Placement;

namespace ConvNet.Grains.Workers;

/// <summary>Hosts a <see cref="WorkerSession"/>; all it does on its turns is to pass orders on.</summary>
[PinnedPlacement, KeepAlive, Immovable]
internal sealed class WorkerGrain(DataCatalog catalog) : Grain, IWorkerGrain
{
    private WorkerSession? _session;
    private string? _reservedBy;

    public async Task PrepareAsync(WorkerAssignment assignment)
    {
        if (_reservedBy != assignment.JobId)
        {
            throw new JobException(
                ExitCode.Conflict,
                $"worker {this.GetPrimaryKeyString()} is not reserved for job '{assignment.JobId}' (but for '{_reservedBy}'): its silo has restarted");
        }

        Stop();
        string name = this.GetPrimaryKeyString();
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        var links = new WorkerLinks(GrainFactory, assignment);

        // Reading a data set takes seconds; it must not hold up a turn.
        _session = await Task.Run(() => new WorkerSession(assignment, job, catalog.Open(job.Data), links, name));
    }

    public Task RunAsync(string jobId, long generation, long firstStep, long endStep)
    {
        SessionOf(jobId, generation).Train(firstStep, endStep);
        return Task.CompletedTask;
    }

    public Task EvaluateAsync(string jobId, long generation, long version, int firstBlock, int endBlock)
    {
        SessionOf(jobId, generation).Evaluate(version, firstBlock, endBlock);
        return Task.CompletedTask;
    }

    public Task<WorkerStatus> StatusAsync() =>
        Task.FromResult(_session?.Status ?? new WorkerStatus(this.GetPrimaryKeyString(), 0, 0, 0, 0, 0, 0, 0, 0));

    public Task<string> ReserveAsync(string jobId) => Task.FromResult(_reservedBy ??= jobId);

    public Task ReleaseAsync(string jobId)
    {
        if (_reservedBy == jobId)
        {
            Stop();
            _reservedBy = null;
        }

        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Stop();
        return Task.CompletedTask;
    }

    private WorkerSession SessionOf(string jobId, long generation)
    {
        if (_session is not { } session || session.Assignment.JobId != jobId || session.Assignment.Generation != generation)
        {
            throw new JobException(
                ExitCode.Environment,
                $"worker {this.GetPrimaryKeyString()} has no assignment of generation {generation} of job '{jobId}'" +
                (_session is null
                    ? "; its silo has restarted: resume from the last checkpoint"
                    : $" (it has {_session.Assignment.Generation} of '{_session.Assignment.JobId}')"));
        }

        return session;
    }

    private void Stop()
    {
        _session?.Dispose();
        _session = null;
    }
}
