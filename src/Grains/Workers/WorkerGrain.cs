using ConvNet.Engine.Data;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Data;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;
using Orleans.Placement;

namespace ConvNet.Grains.Workers;

/// <summary>
/// Hosts a <see cref="WorkerDevice"/> and, generation after generation, its <see cref="WorkerSession"/>; all it does on its turns is to pass orders
/// on, and to tell the job how far they are.
/// </summary>
[PinnedPlacement, KeepAlive, Immovable]
internal sealed class WorkerGrain(DataCatalog catalog, SiloDevices devices, JobMemory memory, WorkerDeadlines deadlines) : Grain, IWorkerGrain
{
    private static readonly TimeSpan SignPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Half a minute of a job that has ended, or goes on without this worker: its release was lost.</summary>
    private const int MostStaleSigns = 120;

    private string? _reservedBy;

    /// <summary>So often a job has asked for the worker and got it.</summary>
    private int _reservations;
    private IGrainTimer? _watch;
    private long? _askedInVainSince;
    private int _staleSigns;
    private WorkerProgress _progress = new();
    private Task<WorkerDevice>? _device;
    private Assignment? _assignment;
    private int _index;
    private EngineWaits? _waits;
    private WorkerOrders? _orders;
    private Task<WorkerSession>? _session;
    private IGrainTimer? _signs;

    private string Name => this.GetPrimaryKeyString();

    private WorkerStatus Status => _progress.StatusOf(Name, _assignment?.Workers[_index].Shards ?? default, _assignment?.Generation ?? 0);

    public async Task<Answer> PrepareAsync(Assignment assignment)
    {
        DemandReservation(assignment.JobId);
        if (assignment.Generation < _assignment?.Generation)
        {
            return Verdict.Stale;
        }

        bool repeated = assignment.Generation == _assignment?.Generation;
        if (!repeated || _session!.IsFaulted)
        {
            Begin(assignment);
        }

        await _session!;
        return assignment.Generation != _assignment?.Generation ? Verdict.Stale : repeated ? Verdict.Duplicate : Verdict.Accepted;
    }

    public Task<Answer> RunAsync(MessageHeader header, long order, long endStep) =>
        CarryOutAsync(header, order, session => session.Train(header.Step, endStep));

    public Task<Answer> EvaluateAsync(MessageHeader header, long order, int firstBlock, int endBlock) =>
        CarryOutAsync(header, order, session => session.Evaluate(header.Step, firstBlock, endBlock));

    public Task<WorkerStatus> StatusAsync() => Task.FromResult(Status);

    public async Task LoadAsync(string jobId, string jobJson, int threads)
    {
        DemandReservation(jobId);
        await OpenDeviceAsync(jobJson, threads);
    }

    public Task<string?> HolderAsync() => Task.FromResult(_reservedBy);

    public Task<string> ReserveAsync(string jobId)
    {
        if (_reservedBy is null)
        {
            _reservedBy = jobId;
            _askedInVainSince = null;
            _watch = this.RegisterGrainTimer(
                WatchAsync, new GrainTimerCreationOptions(deadlines.Question, deadlines.Question) { Interleave = true, KeepAlive = true });
            WorkMeter.Take(isTaken: true);
        }

        _reservations += _reservedBy == jobId ? 1 : 0;
        return Task.FromResult(_reservedBy);
    }

    public Task ReleaseAsync(MessageHeader header)
    {
        if (_reservedBy == header.JobId && header.Generation >= (_assignment?.Generation ?? 0))
        {
            Free();
        }

        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _watch?.Dispose();
        Stop();
        return Task.CompletedTask;
    }

    /// <summary>Ends the older generation of the job and starts to open this one; what is there of the job's device stays.</summary>
    private void Begin(Assignment assignment)
    {
        int index = Array.FindIndex(assignment.Workers, assigned => assigned.Name == Name);
        if (index < 0)
        {
            throw new ConvNetException(ExitCode.Bug, $"generation {assignment.Generation} of job '{assignment.JobId}' has no part for worker {Name}.");
        }

        _waits?.End();
        _assignment = assignment;
        _index = index;
        _orders = new WorkerOrders(assignment, Name);
        _staleSigns = 0;
        Task<WorkerDevice> device = OpenDeviceAsync(assignment.JobJson, assignment.Workers[index].Threads);
        EngineWaits waits = _waits = new EngineWaits(Name);
        WorkerLinks links = WorkerLinks.Of(GrainFactory, assignment, Name);
        _session = OpenAsync(device, links, assignment, index, waits);
        _signs ??= this.RegisterGrainTimer(
            TellAsync, new GrainTimerCreationOptions(SignPeriod, SignPeriod) { Interleave = true, KeepAlive = true });
    }

    private static Task<WorkerSession> OpenAsync(Task<WorkerDevice> device, WorkerLinks links, Assignment assignment, int index, EngineWaits waits) =>
        Task.Run(async () =>
        {
            WorkerDevice opened = await device;
            opened.DemandMemory(assignment.Workers[index].Shards);
            return new WorkerSession(opened, links, assignment, index, waits);
        });

    /// <summary>The device of the job that has the worker: the one that is there, or else a new one.</summary>
    private Task<WorkerDevice> OpenDeviceAsync(string jobJson, int threads)
    {
        if (_device is not { IsFaulted: false })
        {
            if (_device is null)
            {
                memory.Hold();
            }

            _progress = new WorkerProgress();
            _device = OpenAsync(jobJson, threads, _progress);
        }

        return _device;
    }

    /// <summary>Reading a data set takes seconds, and building a network memory and time; neither may hold up a turn.</summary>
    private async Task<WorkerDevice> OpenAsync(string jobJson, int threads, WorkerProgress progress)
    {
        JobSpec job = JobSpec.FromJson(jobJson);
        Dataset data = await OpenAsync(job.Data);
        return await Task.Run(() => new WorkerDevice(Name, devices.Of(Name), threads, job, data, progress));
    }

    /// <summary>The client has opened the same data: what is wrong is wrong on this silo.</summary>
    private async Task<Dataset> OpenAsync(DataReference reference)
    {
        try
        {
            return await catalog.OpenAsync(reference);
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

    private void DemandReservation(string jobId)
    {
        if (_reservedBy != jobId)
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"worker {Name} is not reserved for job '{jobId}' (but for {(_reservedBy is null ? "none" : $"'{_reservedBy}'")}): its silo has restarted.");
        }
    }

    private async Task<Answer> CarryOutAsync(MessageHeader header, long order, Action<WorkerSession> carryOut)
    {
        if (_session is not { } opening)
        {
            throw new ConvNetException(
                ExitCode.Environment, $"worker {Name} has no assignment of job '{header.JobId}'; its silo has restarted.");
        }

        WorkerSession session = await opening;
        if (_session != opening)
        {
            // A newer generation has begun meanwhile, or the worker is released.
            return Verdict.Stale;
        }

        Answer answer = GrainCalls.Demand(_orders!.Take(header, order));
        if (answer.Verdict == Verdict.Accepted)
        {
            carryOut(session);
        }

        return answer;
    }

    /// <summary>A sign of life for the job; one that is lost is followed by the next.</summary>
    private async Task TellAsync(CancellationToken cancellation)
    {
        if (_assignment is not { } assignment)
        {
            return;
        }

        try
        {
            WorkerStatus status = Status;
            Answer answer = await GrainFactory.GetGrain<IJobControlGrain>(assignment.JobId).WorkerSeenAsync(
                assignment.HeaderOf(status.Step, _index), status);
            _staleSigns = answer.Verdict == Verdict.Stale ? _staleSigns + 1 : 0;
            if (_staleSigns == MostStaleSigns && _assignment == assignment)
            {
                Free();
            }
        }
        catch (Exception)
        {
            // The job decides what silence means.
        }
    }

    /// <summary>
    /// A worker that is reserved and gets no assignment may have been forgotten, when its job was led on by another silo: asks the job whether it still
    /// needs it. One that works is told so by the answers to its signs.
    /// </summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        if (_reservedBy is not { } job || _assignment is not null)
        {
            _askedInVainSince = null;
            return;
        }

        int reservations = _reservations;
        bool isNeeded;
        try
        {
            isNeeded = await GrainFactory.GetGrain<IJobControlGrain>(job).NeedsAsync(Name);
            _askedInVainSince = null;
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            _askedInVainSince ??= Environment.TickCount64;
            isNeeded = Environment.TickCount64 - _askedInVainSince < deadlines.Unreachable.TotalMilliseconds;
        }

        if (!isNeeded && _reservations == reservations && _reservedBy is not null && _assignment is null)
        {
            Free();
        }
    }

    private void Free()
    {
        Stop();
        _watch?.Dispose();
        _watch = null;
        _reservedBy = null;
        WorkMeter.Take(isTaken: false);
    }

    private void Stop()
    {
        _signs?.Dispose();
        _signs = null;
        _waits?.End();

        // A device that is still being opened ends as soon as it is.
        if (_device is { } device)
        {
            device.ContinueWith(opened => opened.Result.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
            memory.Free();
        }

        _device = null;
        _session = null;
        _orders = null;
        _assignment = null;
        _progress = new WorkerProgress();
    }
}
