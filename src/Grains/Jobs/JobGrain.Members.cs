using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain finds workers, notices silos that leave, and waits for its client.</summary>
internal sealed partial class JobGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PlacementPause = TimeSpan.FromMilliseconds(500);

    /// <summary>The membership notices within this time that a silo has died: then it is known why a call went wrong.</summary>
    private const double DetectionSeconds = 3;

    /// <summary>A free worker that could not be used, or one that was taken out, is not asked again for so long.</summary>
    private const double CandidatePause = 10, DismissedPause = 60;

    private readonly HashSet<string> _held = [];
    private readonly Dictionary<string, SiloAddress> _silos = [];
    private readonly Dictionary<string, double> _notBefore = [];
    private bool _isSeeking;

    /// <summary>Finds a place for the job and begins it; what goes wrong is the job's failure.</summary>
    private async Task BeginAsync()
    {
        try
        {
            JobPlacement placement = await PlaceAsync(Submission.Layout);
            AssignmentStart start = Submission.Checkpoint is null ? AssignmentStart.Fresh : AssignmentStart.Restore;
            CheckpointPlace place = await PrepareCheckpointsAsync(placement.Servers.Checkpoint);
            JobPosition position = place.Checkpoint is { } checkpoint
                ? await GrainFactory.GetGrain<ICheckpointGrain>(placement.Servers.Checkpoint).OpenAsync(checkpoint, Submission.JobJson)
                : JobPosition.Start;
            if (Submission.Configuration is not null)
            {
                await GrainFactory.GetGrain<IRunWriterGrain>(placement.Servers.Checkpoint).OpenAsync(JobId, SubmissionHere, position.Step);
            }

            Assignment first = placement.Assign(JobId, Submission.JobJson, 1, position.Step) with { Start = start };
            LogSubmitted(logger, JobId, _job!.Model.Name, first.Workers.Length, first.Servers.Partitions.Length, first.FirstStep);
            if (!Machine.HasEnded)
            {
                Machine.Begin(position, first, Submission.Layout.Workers, _clock.Now);
            }
            else
            {
                await ReleaseAsync();
            }
        }
        catch (Exception e)
        {
            if (!Machine.HasEnded)
            {
                JobFailure failure = GrainFailure.ToFailure(e);
                LogFailed(logger, JobId, failure.ExitCode, "start", failure.Message, failure.Details);
                Machine.Fail(failure);
            }

            await ReleaseAsync();
        }

        CarryOut();
    }

    /// <summary>
    /// Places the job and reserves its workers. An attached job gives silos that are just joining some time to show what they offer; a detached one
    /// waits until there is room for it.
    /// </summary>
    private async Task<JobPlacement> PlaceAsync(JobLayout layout)
    {
        double start = _clock.Now;
        while (true)
        {
            try
            {
                JobPlacement placement = JobPlacement.Plan(JobId, _job!.DataShards, layout, catalog.Silos(), await BusyAsync(layout));
                if (await ReserveAsync(placement))
                {
                    return placement;
                }
            }
            catch (Exception e) when (GrainFailure.From(e).ExitCode == ExitCode.Environment && !Machine.HasEnded)
            {
                if (Submission.Client is not null && _clock.Now - start >= deadlines.Placement.TotalSeconds)
                {
                    throw;
                }

                Machine.Wait(GrainFailure.From(e).Message);
            }

            await Task.Delay(PlacementPause);
        }
    }

    /// <summary>Workers that serve other jobs, or whose silos do not answer; asking takes none away from anybody.</summary>
    private async Task<HashSet<string>> BusyAsync(JobLayout layout)
    {
        string[] all = [.. JobPlacement.Free(layout, catalog.Silos(), new HashSet<string>()).Select(worker => worker.Name)];
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
        return [.. all.Where((_, i) => isBusy[i])];
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
        _held.Clear();
        try
        {
            await Task.WhenAll(held.Select(worker => Worker(worker).ReleaseAsync(none)));
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            // What is gone needs no release.
        }
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

            if (holder == JobId)
            {
                _held.Add(key);
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

    /// <summary>Remembers which silo of this name has a part in the job: one that is started again under the name is another one.</summary>
    private void Know(string silo) => _silos[silo] = catalog.AddressOf(silo)
        ?? throw new SiloGoneException($"silo '{silo}' left the cluster while the job was being placed.");

    private bool IsGone(string silo) => _silos.TryGetValue(silo, out SiloAddress? known) && !known.Equals(catalog.AddressOf(silo));

    /// <summary>Null while every server's silo is there.</summary>
    private JobFailure? LostServer()
    {
        if (Machine.Assignment is not { } assignment)
        {
            return null;
        }

        IGrouping<string, (string Role, string Key)>? lost = assignment.Servers.ByRole
            .GroupBy(server => PinnedKey.SiloOf(server.Key)).FirstOrDefault(silo => IsGone(silo.Key));
        return lost is null ? null : new JobFailure(
            (int)ExitCode.Environment,
            $"silo '{lost.Key}' has left the cluster while the job was {Spoken(Machine.State)} at step {Machine.Step}, and with it the job's " +
            $"{string.Join(", ", lost.Select(server => server.Role))}; start it again.");
    }

    /// <summary>Notices what nobody tells: silos that have left, a client that is gone, work that has come to a halt.</summary>
    private Task WatchAsync(CancellationToken cancellationToken)
    {
        double now = _clock.Now;
        if (Machine.HasEnded)
        {
            if (now - _endedAt > deadlines.Rows.TotalSeconds)
            {
                Machine.Rows.Clear();
                _watch?.Dispose();
            }

            return Task.CompletedTask;
        }

        if (LostServer() is { } failure)
        {
            LogFailed(logger, JobId, failure.ExitCode, "watch", failure.Message, failure.Details);
            Machine.Fail(failure);
        }

        foreach (string worker in (Machine.Assignment?.Workers ?? []).Select(worker => worker.Name).Where(name => IsGone(PinnedKey.SiloOf(name))).ToList())
        {
            Machine.Lose(worker, "has left the cluster with its silo", now);
        }

        if (Submission.Client is not null && now - _clientSeen > deadlines.Lease.TotalSeconds)
        {
            Machine.LoseClient(now - _clientSeen);
        }

        Machine.Tick(now);
        CarryOut();
        if (Machine.MissingWorkers > 0 && !_isSeeking)
        {
            _isSeeking = true;
            SeekAsync().Ignore();
        }

        return Task.CompletedTask;
    }

    /// <summary>Looks for a free worker for the place of one that was lost; it loads the data in the background before it joins.</summary>
    private async Task SeekAsync()
    {
        try
        {
            HashSet<string> excluded = [.. _held, .. _notBefore.Where(pair => _clock.Now < pair.Value).Select(pair => pair.Key)];
            foreach (AssignedWorker free in JobPlacement.Free(Submission.Layout, catalog.Silos(), excluded))
            {
                if (await TryJoinAsync(free))
                {
                    break;
                }

                _notBefore[free.Name] = _clock.Now + CandidatePause;
            }
        }
        finally
        {
            _isSeeking = false;
        }

        CarryOut();
    }

    private async Task<bool> TryJoinAsync(AssignedWorker free)
    {
        try
        {
            if (!await ReserveAsync(free.Name))
            {
                return false;
            }

            string silo = PinnedKey.SiloOf(free.Name);
            bool hasPart = Machine.Assignment!.Servers.All.Concat(Machine.Assignment.Workers.Select(worker => worker.Name))
                .Any(key => PinnedKey.SiloOf(key) == silo);
            if (!hasPart)
            {
                Know(silo);
            }

            await Worker(free.Name).LoadAsync(JobId, Submission.JobJson, free.Threads);
            if (Machine.Join(free, _clock.Now))
            {
                return true;
            }
        }
        catch (Exception e)
        {
            LogCandidate(logger, JobId, free.Name, GrainFailure.From(e).Message);
        }

        await DismissAsync(free.Name, new MessageHeader(JobId, 0, 0));
        return false;
    }
}
