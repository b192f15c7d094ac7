using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Orleans.Placement;

namespace ConvNet.Grains.Workers;

/// <summary>Hosts a <see cref="WorkerSession"/>; all it does on its turns is to pass orders on.</summary>
[PinnedPlacement, KeepAlive, Immovable]
internal sealed class WorkerGrain(DataCatalog catalog) : Grain, IWorkerGrain
{
    private Assignment? _assignment;
    private Task<WorkerSession>? _prepared;
    private WorkerOrders? _orders;
    private string? _reservedBy;

    private string Name => this.GetPrimaryKeyString();

    public async Task<Answer> PrepareAsync(Assignment assignment)
    {
        if (_reservedBy != assignment.JobId)
        {
            throw new ConvNetException(
                ExitCode.Conflict, $"worker {Name} is not reserved for job '{assignment.JobId}' (but for '{_reservedBy}'): its silo has restarted.");
        }

        if (assignment.Generation < _assignment?.Generation)
        {
            return Verdict.Stale;
        }

        bool repeated = assignment.Generation == _assignment?.Generation;
        if (!repeated)
        {
            Stop();
            _assignment = assignment;
            _orders = new WorkerOrders(assignment, Name);

            // Reading a data set takes seconds; it must not hold up a turn.
            int worker = Array.FindIndex(assignment.Workers, assigned => assigned.Name == Name);
            var links = new WorkerLinks(GrainFactory, assignment);
            _prepared = Task.Run(() => Open(assignment, worker, links));
        }

        await _prepared!;
        return repeated ? Verdict.Duplicate : Verdict.Accepted;
    }

    public Task<Answer> RunAsync(MessageHeader header, long order, long endStep) =>
        CarryOutAsync(header, order, session => session.Train(header.Step, endStep));

    public Task<Answer> EvaluateAsync(MessageHeader header, long order, int firstBlock, int endBlock) =>
        CarryOutAsync(header, order, session => session.Evaluate(header.Step, firstBlock, endBlock));

    public Task<WorkerStatus> StatusAsync() =>
        Task.FromResult(_prepared is { IsCompletedSuccessfully: true } prepared ? prepared.Result.Status : new WorkerStatus(Name, 0, 0, 0, 0, 0, 0, 0, 0));

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

    private WorkerSession Open(Assignment assignment, int worker, WorkerLinks links)
    {
        JobSpec job = JobSpec.FromJson(assignment.JobJson);
        return new WorkerSession(assignment, worker, job, Open(job.Data), links);
    }

    /// <summary>The client has opened the same data: what is wrong is wrong on this silo.</summary>
    private Dataset Open(DataReference reference)
    {
        try
        {
            return catalog.Open(reference);
        }
        catch (Exception e) when (e is ConvNetException or IOException or UnauthorizedAccessException)
        {
            throw new ConvNetException(
                (e as ConvNetException)?.ExitCode ?? ExitCode.BadInput,
                $"silo '{PinnedKey.SiloOf(Name)}' on {Environment.MachineName} cannot use the job's data (worker {Name}): {e.Message.TrimEnd('.')}. " +
                "Every silo that runs workers needs the same files under the same path.",
                e);
        }
    }

    private async Task<Answer> CarryOutAsync(MessageHeader header, long order, Action<WorkerSession> carryOut)
    {
        if (_orders is not { } orders || _prepared is not { } prepared)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"worker {Name} has no assignment of job '{header.JobId}'; its silo has restarted.");
        }

        WorkerSession session = await prepared;
        Answer answer = GrainCalls.Demand(orders.Take(header, order));
        if (answer.Verdict == Verdict.Accepted)
        {
            carryOut(session);
        }

        return answer;
    }

    private void Stop()
    {
        // A session that is still being opened ends as soon as it is.
        _prepared?.ContinueWith(prepared => prepared.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
        _prepared = null;
        _orders = null;
        _assignment = null;
    }
}
