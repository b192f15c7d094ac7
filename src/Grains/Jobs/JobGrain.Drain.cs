using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain leaves silos that are being stopped, and keeps away from them.</summary>
internal sealed partial class JobGrain
{
    /// <summary>By then the standbys of a job that trains have the state.</summary>
    private const double StandbyPatience = 20;

    private readonly Dictionary<string, SiloAddress> _stopping = [];

    /// <summary>Since when the job waits for standbys to be ready, so that a silo may be stopped.</summary>
    private readonly Dictionary<string, double> _unprotectedSince = [];

    /// <summary>Where the job may take workers and servers.</summary>
    private IReadOnlyList<SiloOffer> Silos => [.. catalog.Silos().Where(silo => !IsStopping(silo.Name))];

    public Task<string?> LeaveSiloAsync(string silo)
    {
        if (_machine is not { HasEnded: false } machine)
        {
            LeaveIfUnknown();
            return Task.FromResult<string?>(null);
        }

        if (catalog.AddressOf(silo) is { } address)
        {
            _stopping[silo] = address;
        }

        bool hasServers = machine.Servers?.ByRole.Any(server => PinnedKey.SiloOf(server.Key) == silo) == true;
        bool hasStandbys = machine.Servers?.Standbys.Any(standby => standby is not null && PinnedKey.SiloOf(standby.Key) == silo) == true;
        string[] workers = [.. _held.Where(key => PinnedKey.SiloOf(key) == silo)];
        bool handsOver = hasServers;
        bool endsJob = self.Name == silo && !HasSuccessor;
        if (endsJob)
        {
            machine.EndSaved($"silo '{silo}', which keeps the job, was stopped");
        }
        else if (hasServers && HandsOver(machine, silo))
        {
            foreach (string worker in workers)
            {
                machine.Withdraw(worker, "has left, as its silo was stopped");
            }
        }
        else if (hasServers)
        {
            handsOver = false;
            machine.Vacate($"silo '{silo}' with servers of the job was stopped");
        }
        else
        {
            if (hasStandbys)
            {
                machine.MoveStandbys(WithStandbys(ServerRoles.WithoutStandbys(machine.Servers!, silo)));
            }

            foreach (string worker in workers)
            {
                machine.Withdraw(worker, "has left, as its silo was stopped");
            }
        }

        CarryOut();
        return Task.FromResult(
            endsJob ? $"job '{JobId}', which finishes its step and saves"
            : handsOver ? $"job '{JobId}', whose servers there hand over to their standbys when it has finished its slice"
            : hasServers ? $"job '{JobId}', which finishes its step, saves and goes back to the queue"
            : workers.Length > 0 ? $"job '{JobId}', whose workers there {(machine.Assignment is null ? "are let go" : "finish their step")}"
            : hasStandbys ? $"job '{JobId}', whose standbys there leave when it has finished its slice"
            : null);
    }

    /// <summary>
    /// The standbys of servers on a silo that is being stopped go on in their places, as soon as they have the state: without any for long, the job has to
    /// leave the place.
    /// </summary>
    /// <returns>False if that takes too long, or there are none.</returns>
    private bool HandsOver(JobMachine machine, string silo)
    {
        if (machine.Servers is not { } servers || machine.IsLeaving || ServerRoles.Without(servers, silo) is not { } next
            || next.ByRole.Any(server => IsStopping(PinnedKey.SiloOf(server.Key))))
        {
            return false;
        }

        if (machine.CanLose(silo))
        {
            _unprotectedSince.Remove(silo);
            machine.HandOver(silo, WithStandbys(next));
            return true;
        }

        _unprotectedSince.TryAdd(silo, _clock.Now);
        return _clock.Now - _unprotectedSince[silo] < StandbyPatience;
    }

    /// <summary>Another silo can lead the job on from its record, as soon as this one is gone.</summary>
    private bool HasSuccessor => head.Directory is not null && Silos.Any(silo => silo.Servers && silo.Name != self.Name);

    /// <summary>Another silo that is started under the same name is not meant.</summary>
    private bool IsStopping(string silo) => _stopping.TryGetValue(silo, out SiloAddress? known) && known.Equals(catalog.AddressOf(silo));

    /// <summary>
    /// What the job needs of a silo that it has left, or null: that has the run folder locked until it is gone, or the only copy of a checkpoint.
    /// </summary>
    private string? WaitsForHome() =>
        _writer is { } writer && IsStopping(PinnedKey.SiloOf(writer.Key))
            ? $"silo '{PinnedKey.SiloOf(writer.Key)}', which is being stopped, still writes its run folder."
        : _checkpoints is { IsCache: true } place && Machine.Checkpoint is not null && Silos.All(silo => silo.Name != place.Silo)
            ? $"its last checkpoint is in the cache of silo '{place.Silo}'; start that again."
        : null;
}
