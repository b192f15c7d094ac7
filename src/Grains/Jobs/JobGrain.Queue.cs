using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain waits for its turn, and finds workers and servers.</summary>
internal sealed partial class JobGrain
{
    private static readonly TimeSpan PlacementPause = TimeSpan.FromMilliseconds(500);

    private long _number;

    /// <summary>How often the job has let go of all workers that it had reserved.</summary>
    private int _timesLetGo;
    private bool _isPlacing;
    private double? _refusedSince;
    private double? _tooLargeSince;

    private IJobDirectoryGrain JobDirectory => GrainFactory.GetGrain<IJobDirectoryGrain>(0);

    /// <summary>Finds a place for the job, in its turn, and begins it there; what goes wrong is the job's failure.</summary>
    private async Task FindPlaceAsync()
    {
        if (_isPlacing)
        {
            return;
        }

        _isPlacing = true;
        try
        {
            while (Machine.WantsPlace && !Machine.HandsOn)
            {
                if (await TryPlaceAsync() is { } placement && await TryBeginAsync(placement))
                {
                    continue;
                }

                await Task.Delay(PlacementPause);
            }
        }
        catch (Exception e)
        {
            if (Machine.WantsPlace)
            {
                JobFailure failure = GrainFailure.ToFailure(e);
                LogFailed(logger, JobId, failure.ExitCode, "start", failure.Message, failure.Details);
                Machine.Fail(failure);
            }
        }
        finally
        {
            _isPlacing = false;
        }

        if (Machine.Assignment is null)
        {
            await LetGoAsync();
            await LeaveQueueAsync();
        }

        CarryOut();
    }

    /// <summary>Reserves workers if it is the job's turn and there are enough.</summary>
    /// <returns>Null if the job has to wait.</returns>
    /// <exception cref="ConvNetException">An attached job asks for more than all that the cluster has (exit code 4).</exception>
    private async Task<JobPlacement?> TryPlaceAsync()
    {
        QueueTurn? turn = null;
        try
        {
            if (WaitsForHome() is { } need)
            {
                Machine.Wait(need, position: null);
                return null;
            }

            JobLayout layout = Machine.TakesFewer ? Submission.Layout with { MinWorkers = 1 } : Submission.Layout;
            if (JobPlacement.Obstacle(layout, Silos) is { } obstacle)
            {
                WaitForSilos(obstacle);
                return null;
            }

            _tooLargeSince = null;
            turn = await JobDirectory.TurnAsync(new QueuedJob(JobId, Submission.Priority, _number));
            if (turn.Reason is { } reason)
            {
                Machine.Wait(reason, turn.Position);
                return null;
            }

            JobPlacement placement = JobPlacement.Plan(
                JobId, _job!.DataShards, layout, Silos, await BusyAsync(layout), Home);
            if (Machine.WantsPlace && await ReserveAsync(placement))
            {
                await LeaveQueueAsync();
                return placement;
            }
        }
        catch (Exception e) when (GrainFailure.From(e).ExitCode == ExitCode.Environment && !IsTooLargeForLong())
        {
            Machine.Wait(GrainFailure.From(e).Message, turn?.Position);
        }

        return null;
    }

    /// <summary>
    /// The cluster as it is cannot hold the job, which keeps nobody waiting. An attached job gives silos that are just joining some time to show
    /// what they offer; a detached one, or one that has begun before, waits until there are more.
    /// </summary>
    private void WaitForSilos(string obstacle)
    {
        _tooLargeSince ??= _clock.Now;
        if (IsTooLargeForLong())
        {
            throw new ConvNetException(ExitCode.Environment, obstacle);
        }

        Machine.Wait(obstacle, position: null);
    }

    private bool IsTooLargeForLong() =>
        Submission.Client is not null && !Machine.HasBegun && _tooLargeSince is { } since && _clock.Now - since >= deadlines.Placement.TotalSeconds;

    /// <summary>
    /// A silo that is in the placement may leave or die while the job begins there: then it looks for another place. One that has begun before waits for
    /// what it needs; a new one gives up after some seconds.
    /// </summary>
    /// <returns>False if it has to try again.</returns>
    private async Task<bool> TryBeginAsync(JobPlacement placement)
    {
        try
        {
            await BeginAsync(placement);
            _refusedSince = null;
            return true;
        }
        catch (Exception e) when (GrainFailure.From(e).ExitCode == ExitCode.Environment && MayTryAgain())
        {
            Machine.Wait(GrainFailure.From(e).Message, position: null);
            await LetGoAsync();
            return false;
        }
    }

    private bool MayTryAgain()
    {
        _refusedSince ??= _clock.Now;
        return Machine.HasBegun || _clock.Now - _refusedSince < RefusedSeconds;
    }

    private async Task BeginAsync(JobPlacement placement)
    {
        await PrepareCheckpointsAsync(placement.Servers.Checkpoint);
        await PassOverDamagedAsync(placement.Servers.Checkpoint);
        JobPosition position = Machine.HasBegun ? Machine.Reached.Position
            : CheckpointPath is not { } checkpoint ? JobPosition.Start
            : await GrainFactory.GetGrain<ICheckpointGrain>(placement.Servers.Checkpoint).OpenAsync(checkpoint, Submission.JobJson);
        if (WritesRun && !await TryOpenWriterAsync(placement.Servers.Checkpoint, position.Step))
        {
            return;
        }

        if (!Machine.WantsPlace || placement.Silos.Any(IsStopping))
        {
            await LetGoAsync();
            return;
        }

        AssignmentStart start = CheckpointPath is null ? AssignmentStart.Fresh : AssignmentStart.Restore;
        Assignment first = placement.Assign(JobId, Submission.JobJson, Machine.Generation + 1, position.Step) with { Start = start };
        LogSubmitted(logger, JobId, _job!.Model.Name, first.Workers.Length, first.Servers.Partitions.Length, first.FirstStep);
        Machine.Begin(position, first, Submission.Layout.Workers, _clock.Now);
        CarryOut();
    }

    /// <summary>Nobody waits for this job any more; if that does not arrive, the queue finds out by itself.</summary>
    private async Task LeaveQueueAsync()
    {
        try
        {
            await JobDirectory.LeaveQueueAsync(JobId);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // It asks no more.
        }
    }

    /// <summary>Workers that serve other jobs, that this one has lost lately, or whose silos do not answer; asking takes none away from anybody.</summary>
    private async Task<HashSet<string>> BusyAsync(JobLayout layout)
    {
        string[] all = [.. JobPlacement.Free(layout, Silos, new HashSet<string>()).Select(worker => worker.Name)];
        bool[] isBusy = await Task.WhenAll(all.Select(async key =>
        {
            try
            {
                return await Worker(key).HolderAsync() is { } holder && await IsOfAnotherAsync(holder);
            }
            catch (Exception e) when (GrainFailure.IsLostContact(e))
            {
                return true;
            }
        }));
        return [.. all.Where((key, i) => isBusy[i] || IsShunned(key))];
    }

    /// <summary>Reserves all workers of a placement or none.</summary>
    /// <returns>False if another job was faster.</returns>
    private async Task<bool> ReserveAsync(JobPlacement placement)
    {
        foreach (string key in placement.Workers.Select(assigned => assigned.Name))
        {
            if (!await ReserveAsync(key))
            {
                await LetGoAsync();
                return false;
            }
        }

        foreach (string silo in placement.Silos)
        {
            Know(silo);
        }

        return true;
    }

    /// <summary>Ends the reservations of a job that has not begun.</summary>
    private async Task LetGoAsync()
    {
        MessageHeader none = new(JobId, 0, 0);
        string[] held = [.. _held];
        ForgetHeld();
        try
        {
            await Task.WhenAll(held.Select(worker => Worker(worker).ReleaseAsync(none)));
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // What is gone needs no release.
        }
    }

    /// <summary>The workers that the job had reserved are being released, or are gone.</summary>
    private void ForgetHeld()
    {
        if (_held.Count > 0)
        {
            NoteChange();
        }

        _held.Clear();
        _timesLetGo++;
    }

    /// <returns>False if a job that is still live has the worker, or its silo does not answer.</returns>
    private async Task<bool> ReserveAsync(string key)
    {
        try
        {
            IWorkerGrain worker = Worker(key);
            string holder = await worker.ReserveAsync(JobId);
            if (holder != JobId && !await IsOfAnotherAsync(holder))
            {
                await worker.ReleaseAsync(new MessageHeader(holder, long.MaxValue, 0));
                holder = await worker.ReserveAsync(JobId);
            }

            if (holder == JobId && _held.Add(key))
            {
                NoteChange();
            }

            return holder == JobId;
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            return false;
        }
    }

    /// <summary>True if the one that has a worker is another job, and still needs it.</summary>
    private async Task<bool> IsOfAnotherAsync(string holder) =>
        holder != JobId && await GrainFactory.GetGrain<IJobControlGrain>(holder).IsLiveAsync();
}
