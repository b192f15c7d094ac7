using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Metering;
using ConvNet.Grains.Placement;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain notices silos that leave, and takes on workers.</summary>
internal sealed partial class JobGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>The membership notices within this time that a silo has died: then it is known why a call went wrong.</summary>
    private const double DetectionSeconds = 3;

    /// <summary>A free worker that could not be used, or one that was taken out, is not asked again for so long.</summary>
    private const double CandidatePause = 10, DismissedPause = 60;

    private readonly HashSet<string> _held = [];
    private readonly Dictionary<string, SiloAddress> _silos = [];
    private readonly Dictionary<string, (double Until, SiloAddress? Silo)> _notBefore = [];
    private bool _isSeeking;

    /// <summary>Remembers which silo of this name has a part in the job: one that is started again under the name is another one.</summary>
    private void Know(string silo) => _silos[silo] = catalog.AddressOf(silo)
        ?? throw new SiloGoneException($"silo '{silo}' left the cluster while the job was being placed.");

    private bool IsGone(string silo) => _silos.TryGetValue(silo, out SiloAddress? known) && !known.Equals(catalog.AddressOf(silo));

    /// <summary>Notices what nobody tells: silos that have left, a client that is gone, work that has come to a halt.</summary>
    private Task WatchAsync(CancellationToken cancellationToken)
    {
        double now = _clock.Now;
        MoveWriter();
        if (Machine.HasEnded)
        {
            if (_endedAt is null)
            {
                _endedAt = now;
                LogEnded(logger, JobId, Machine.State, Machine.Step);
                Measure();
            }

            if (now - _endedAt > deadlines.Rows.TotalSeconds)
            {
                Machine.Rows.Clear();
                JobMeter.Forget(JobId);
                _watch?.Dispose();
            }

            return Task.CompletedTask;
        }

        LeaveLostServers();
        foreach (string worker in WorkersAndJoiners().Where(name => IsGone(PinnedKey.SiloOf(name))).ToList())
        {
            Machine.Lose(worker, "has left the cluster with its silo", now);
        }

        Ping(now);
        WatchClient(now);
        Machine.Tick(now);
        SeekStandbys();
        CarryOut();
        Measure();
        if (Machine.WantsPlace && !Machine.HandsOn)
        {
            FindPlaceAsync().Ignore();
        }

        if (Machine.MissingWorkers > 0 && !_isSeeking && !Machine.HandsOn)
        {
            _isSeeking = true;
            SeekAsync().Ignore();
        }

        return Task.CompletedTask;
    }

    /// <summary>The workers of the generation, and those that load the data or wait for the next one.</summary>
    private IEnumerable<string> WorkersAndJoiners() =>
        (Machine.Assignment?.Workers ?? []).Select(worker => worker.Name).Union(Machine.Assignment is null ? [] : _held);

    /// <summary>Looks for a free worker for the place of one that was lost; it loads the data in the background before it joins.</summary>
    private async Task SeekAsync()
    {
        try
        {
            if (!await MayGrowAsync())
            {
                return;
            }

            HashSet<string> excluded = [.. _held, .. Machine.Expelled, .. _notBefore.Keys.Where(IsShunned)];
            foreach (AssignedWorker free in JobPlacement.Free(Submission.Layout, Silos, excluded))
            {
                if (await TryJoinAsync(free))
                {
                    break;
                }

                Shun(free.Name, CandidatePause);
            }
        }
        finally
        {
            _isSeeking = false;
        }

        CarryOut();
    }

    private void Shun(string worker, double seconds) => _notBefore[worker] = (_clock.Now + seconds, catalog.AddressOf(PinnedKey.SiloOf(worker)));

    /// <summary>One whose silo was started anew since then is another one.</summary>
    private bool IsShunned(string worker) => Machine.Expelled.Contains(worker)
        || (_notBefore.TryGetValue(worker, out (double Until, SiloAddress? Silo) known)
            && _clock.Now < known.Until && Equals(known.Silo, catalog.AddressOf(PinnedKey.SiloOf(worker))));

    /// <summary>Whoever waits in the queue and is as important goes first, but for a job that has no worker left.</summary>
    private async Task<bool> MayGrowAsync()
    {
        try
        {
            return Machine.IsWithoutWorkers || await JobDirectory.MayGrowAsync(Submission.Priority);
        }
        catch (Exception e) when (GrainFailure.IsLostContact(e))
        {
            return false;
        }
    }

    /// <returns>True if no other worker is to be asked: this one joins, or the job has another place.</returns>
    private async Task<bool> TryJoinAsync(AssignedWorker free)
    {
        int letGo = _timesLetGo;
        try
        {
            if (!await ReserveAsync(free.Name))
            {
                return false;
            }

            letGo = _timesLetGo;
            string silo = PinnedKey.SiloOf(free.Name);
            bool hasPart = Machine.Assignment is { } assignment
                && assignment.Servers.All.Concat(assignment.Workers.Select(worker => worker.Name)).Any(key => PinnedKey.SiloOf(key) == silo);
            if (!hasPart)
            {
                Know(silo);
            }

            await Worker(free.Name).LoadAsync(JobId, Submission.JobJson, free.Threads);
            if (_timesLetGo == letGo && Machine.Join(free, _clock.Now))
            {
                return true;
            }
        }
        catch (Exception e)
        {
            LogCandidate(logger, JobId, free.Name, GrainFailure.From(e).Message);
        }

        if (_timesLetGo != letGo || Machine.Assignment?.Workers.Any(worker => worker.Name == free.Name) == true)
        {
            // Loading takes long: the job has given its place up meanwhile, with all that it had reserved. What it has now, it has reserved anew.
            return true;
        }

        await DismissAsync(free.Name, new MessageHeader(JobId, 0, 0));
        return false;
    }
}
