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

    /// <summary>The membership notices within this time that a silo has died: then it is known why a call went wrong.</summary>
    private const double DetectionSeconds = 3;

    /// <summary>A free worker that could not be used is not asked again for so long.</summary>
    private const double CandidatePause = 10;

    private readonly HashSet<string> _held = [];
    private readonly Dictionary<string, SiloAddress> _silos = [];
    private readonly Dictionary<string, double> _passedOver = [];
    private bool _isSeeking;

    /// <summary>Finds a place for the job and begins it; what goes wrong is the job's failure.</summary>
    private async Task BeginAsync()
    {
        try
        {
            JobPlacement placement = await PlaceAsync(Submission.Layout);
            if (Machine.HasEnded)
            {
                await ReleaseAsync();
                return;
            }

            AssignmentStart start = Submission.Checkpoint is null ? AssignmentStart.Fresh : AssignmentStart.Restore;
            JobPosition position = Submission.Checkpoint is { } checkpoint
                ? await GrainFactory.GetGrain<ICheckpointGrain>(placement.Servers.Checkpoint).OpenAsync(checkpoint, Submission.JobJson)
                : JobPosition.Start;
            if (Submission.Configuration is not null)
            {
                await GrainFactory.GetGrain<IRunWriterGrain>(placement.Servers.Checkpoint).OpenAsync(JobId, Submission, position.Step);
            }

            Assignment first = placement.Assign(JobId, Submission.JobJson, 1, position.Step) with { Start = start };
            LogSubmitted(logger, JobId, _job!.Model.Name, first.Workers.Length, first.Servers.Partitions.Length, first.FirstStep);
            if (!Machine.HasEnded)
            {
                Machine.Begin(position, first, Submission.Layout.Workers, _clock.Now);
            }
        }
        catch (Exception e)
        {
            JobFailure failure = GrainFailure.ToFailure(e);
            LogFailed(logger, JobId, failure.ExitCode, "start", failure.Message);
            Machine.Fail(failure);
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
            var busy = new HashSet<string>();
            try
            {
                while (true)
                {
                    JobPlacement placement = JobPlacement.Plan(JobId, _job!.DataShards, layout, catalog.Silos(), busy);
                    if (await ReserveAsync(placement) is not { } taken)
                    {
                        return placement;
                    }

                    busy.Add(taken);
                }
            }
            catch (ConvNetException e) when (e.ExitCode == ExitCode.Environment && !Machine.HasEnded)
            {
                if (Submission.Client is not null && _clock.Now - start >= deadlines.Placement.TotalSeconds)
                {
                    throw await ShortageAsync(layout, busy);
                }

                Machine.Wait(e.Message);
                await Task.Delay(WatchPeriod);
            }
        }
    }

    /// <summary>What is missing for the job, with every worker that another job has counted as such.</summary>
    private async Task<ConvNetException> ShortageAsync(JobLayout layout, HashSet<string> busy)
    {
        foreach (AssignedWorker free in JobPlacement.Free(layout, catalog.Silos(), busy).ToList())
        {
            if (!await ReserveAsync(free.Name))
            {
                busy.Add(free.Name);
            }
        }

        await LetGoAsync();
        try
        {
            JobPlacement.Plan(JobId, _job!.DataShards, layout, catalog.Silos(), busy);
            return new ConvNetException(ExitCode.Environment, "workers became free too late for the job; start it again.");
        }
        catch (ConvNetException e)
        {
            return e;
        }
    }

    /// <summary>Reserves all workers of a placement or none.</summary>
    /// <returns>Null, or the key of a worker that another job has.</returns>
    private async Task<string?> ReserveAsync(JobPlacement placement)
    {
        foreach (string key in placement.Workers.Select(assigned => assigned.Name))
        {
            if (!await ReserveAsync(key))
            {
                await LetGoAsync();
                return key;
            }
        }

        foreach (string silo in placement.Silos)
        {
            Know(silo);
        }

        return null;
    }

    /// <summary>Ends the reservations of a job that has not begun.</summary>
    private async Task LetGoAsync()
    {
        MessageHeader none = new(JobId, 0, 0);
        await Task.WhenAll(_held.Select(held => Worker(held).ReleaseAsync(none)));
        _held.Clear();
    }

    /// <returns>False if a job that is still live has the worker.</returns>
    private async Task<bool> ReserveAsync(string key)
    {
        IWorkerGrain worker = Worker(key);
        string holder = await worker.ReserveAsync(JobId);
        if (holder != JobId && !await GrainFactory.GetGrain<IJobControlGrain>(holder).IsLiveAsync())
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
            LogFailed(logger, JobId, failure.ExitCode, "watch", failure.Message);
            Machine.Fail(failure);
        }

        foreach (string worker in (Machine.Assignment?.Workers ?? []).Select(worker => worker.Name).Where(name => IsGone(PinnedKey.SiloOf(name))).ToList())
        {
            Machine.Lose(worker, $"has left the cluster with its silo", now);
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
            HashSet<string> excluded = [.. _held, .. _passedOver.Where(pair => _clock.Now - pair.Value < CandidatePause).Select(pair => pair.Key)];
            foreach (AssignedWorker free in JobPlacement.Free(Submission.Layout, catalog.Silos(), excluded))
            {
                if (await TryJoinAsync(free))
                {
                    break;
                }

                _passedOver[free.Name] = _clock.Now;
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

            Know(PinnedKey.SiloOf(free.Name));
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

        await DismissAsync(new JobCommand.Dismiss(free.Name, new MessageHeader(JobId, 0, 0)));
        return false;
    }
}
