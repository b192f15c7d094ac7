using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Microsoft.Extensions.Logging;

namespace ConvNet.Grains.Jobs;

/// <summary>How the job grain leaves silos that are being stopped or drained, and keeps away from them.</summary>
internal sealed partial class JobGrain
{
    /// <summary>By then the standbys of a job that trains have the state.</summary>
    private const double StandbyPatience = 20;

    /// <summary>Until the grain is told once more to move to another silo.</summary>
    private const double MovingPatience = 3;

    /// <summary>Since when the job waits for standbys to be ready, so that a silo may be emptied.</summary>
    private readonly Dictionary<string, double> _unprotectedSince = [];
    private double? _handedOnAt;

    /// <summary>Where the job may take workers and servers.</summary>
    private IReadOnlyList<SiloOffer> Silos => catalog.Silos();

    public Task<string?> LeaveSiloAsync(string silo, string address, bool stops)
    {
        if (_machine is not { HasEnded: false } machine)
        {
            LeaveIfUnknown();
            return Task.FromResult<string?>(null);
        }

        if (catalog.AddressOf(silo) is { } known)
        {
            if (known.ToParsableString() != address)
            {
                // It has ended, and another one has come under its name.
                return Task.FromResult<string?>(null);
            }

            if (!IsStopping(silo))
            {
                catalog.Note(known, stops ? SiloState.Stopping : SiloState.Draining);
            }
        }

        string? wait = Leave(machine, silo, stops);
        CarryOut();
        return Task.FromResult(wait is null ? null : $"job '{JobId}', {wait}");
    }

    /// <returns>A clause about what the job still has to do before it has left the silo; null: nothing.</returns>
    private string? Leave(JobMachine machine, string silo, bool stops)
    {
        string deed = stops ? "stopped" : "drained";
        bool leads = self.Name == silo;
        bool isBound = leads && !HasSuccessor;
        if (isBound)
        {
            machine.LeadOn(_clock.Now);
            if (stops)
            {
                machine.EndSaved($"silo '{silo}', which keeps the job, was stopped");
                return "which finishes its step and saves";
            }
        }

        string[] workers = [.. _held.Where(key => PinnedKey.SiloOf(key) == silo)];
        if (machine.Servers?.ByRole.Any(server => PinnedKey.SiloOf(server.Key) == silo) == true)
        {
            if (HandsOver(machine, silo, deed))
            {
                Withdraw(machine, workers, deed);
                return "whose servers there hand over to their standbys when it has finished its slice";
            }

            if (!stops && !Silos.Any(other => other.Servers))
            {
                return "whose servers no other silo can take: start one with the role 'server'";
            }

            machine.Vacate($"silo '{silo}' with servers of the job was {deed}");
            return "which finishes its step, saves and goes back to the queue";
        }

        bool hasStandbys = machine.Servers?.Standbys.Any(standby => standby is not null && PinnedKey.SiloOf(standby.Key) == silo) == true;
        if (hasStandbys)
        {
            machine.MoveStandbys(WithStandbys(ServerRoles.WithoutStandbys(machine.Servers!, silo)), deed);
        }

        Withdraw(machine, workers, deed);
        return workers.Length > 0 ? $"whose workers there {(machine.Assignment is null ? "are let go" : "finish their step")}"
            : hasStandbys ? "whose standbys there leave when it has finished its slice"
            : LeavesWriter(silo) ? "whose run folder is written there until another silo does"
            : IsKeptOnlyOn(silo) && !stops
                ? $"whose only checkpoint is in its cache: 'convnet checkpoint get --job {JobId}' fetches it, and another start of the silo lets the job go on"
            : isBound ? "which no other silo can lead: start one with the role 'server'"
            : leads ? HandOn(machine)
            : null;
    }

    private static void Withdraw(JobMachine machine, string[] workers, string deed) =>
        Array.ForEach(workers, worker => machine.Withdraw(worker, $"has left, as its silo was {deed}"));

    /// <summary>Nothing else of the job is on this silo: another one leads it on as soon as it rests, so that no step is repeated.</summary>
    private string HandOn(JobMachine machine)
    {
        if (_storeFailure is not null)
        {
            return "which is led there as long as the cluster's store does not take its record";
        }

        machine.HandOn();
        return "which another silo leads on when it has finished its slice";
    }

    /// <summary>
    /// Once the job rests and its record is kept, the grain moves to another silo. A job whose record the store does not take, or that no silo takes, goes on
    /// here.
    /// </summary>
    private void LetGoIfHeld()
    {
        if (!Machine.HandsOn)
        {
            return;
        }

        if (_storeFailure is not null || !HasSuccessor || Machine.IsHeldForLong(_clock.Now))
        {
            Machine.LeadOn(_clock.Now);
        }
        else if (Machine.IsHeld(_clock.Now) && IsKept(Machine) && !_isPlacing && !_isSeeking && _movingWriter.IsCompleted
            && (_handedOnAt is not { } at || _clock.Now - at > MovingPatience))
        {
            LogHandedOn(logger, JobId, self.Name, Machine.Step);
            _handedOnAt = _clock.Now;
            MigrateOnIdle();
        }
    }

    /// <summary>
    /// The standbys of servers on a silo that is being emptied go on in their places, as soon as they have the state: without any for long, the job has to
    /// leave the place.
    /// </summary>
    /// <returns>False if that takes too long, or there are none.</returns>
    private bool HandsOver(JobMachine machine, string silo, string deed)
    {
        if (machine.Servers is not { } servers || machine.IsLeaving || ServerRoles.Without(servers, silo) is not { } next
            || next.ByRole.Any(server => IsStopping(PinnedKey.SiloOf(server.Key))))
        {
            return false;
        }

        if (machine.CanLose(silo))
        {
            _unprotectedSince.Remove(silo);
            machine.HandOver(silo, WithStandbys(next), deed);
            return true;
        }

        _unprotectedSince.TryAdd(silo, _clock.Now);
        return _clock.Now - _unprotectedSince[silo] < StandbyPatience;
    }

    /// <summary>Another silo can lead the job on from its record, as soon as this one lets go of it.</summary>
    private bool HasSuccessor => head.Directory is not null && Silos.Any(silo => silo.Servers && silo.Name != self.Name);

    /// <summary>Or drained. Another silo that is started under the same name is not meant.</summary>
    private bool IsStopping(string silo) => catalog.StateOf(silo) != SiloState.Active;

    /// <summary>
    /// What the job needs of a silo that it has left, or null: that has the run folder locked until it is gone, or the only copy of a checkpoint.
    /// </summary>
    private string? WaitsForHome() =>
        _writer is { Address: not null } writer && IsStopping(PinnedKey.SiloOf(writer.Key))
            ? $"silo '{PinnedKey.SiloOf(writer.Key)}', which is being emptied, still writes its run folder."
        : _checkpoints is { IsCache: true } place && Machine.Checkpoint is not null && Silos.All(silo => silo.Name != place.Silo)
            ? $"its last checkpoint is in the cache of silo '{place.Silo}'{(IsStopping(place.Silo) ? ", which is being emptied" : "")}; start that again."
        : null;

    /// <summary>The job waits for a place, and no other silo has what it goes on from.</summary>
    private bool IsKeptOnlyOn(string silo) => Machine is { State: JobState.Queued, Checkpoint: not null } && _checkpoints is { IsCache: true } place
        && place.Silo == silo;

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} is led no longer by silo {Silo}: another one leads it on from step {Step}")]
    private static partial void LogHandedOn(ILogger logger, string job, string silo, long step);
}
