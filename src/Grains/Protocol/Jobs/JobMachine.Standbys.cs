using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job goes on without the servers of a silo that is lost, with their standbys, and takes on new ones.</summary>
internal sealed partial class JobMachine
{
    /// <summary>The servers of the next generation, if they are others; null: the same.</summary>
    private ServerKeys? _nextServers;

    /// <summary>A generation with these is to begin at the next rest; null: none is.</summary>
    private ServerKeys? _offered;

    /// <summary>Numbers of the servers whose standbys could take their places.</summary>
    private readonly HashSet<int> _protected = [];

    /// <summary>The silo whose servers are left out of those offered, as it is being emptied; or null.</summary>
    private string? _leaving;

    /// <summary>What is done to it, or to one with standbys: "stopped" or "drained".</summary>
    private string _deed = "";

    private bool _isTold;

    /// <summary>Workers are lost with their silo: one change follows for all.</summary>
    private bool _losesSilo;

    /// <summary>Those of the generation that works or is about to begin; null while the job has no place.</summary>
    public ServerKeys? Servers => _assignment is null ? null : _nextServers ?? _assignment.Servers;

    /// <summary>True if any single silo may be lost, and the job goes on from the step in progress.</summary>
    public bool IsProtected => Servers is { } servers && Enumerable.Range(0, servers.CoordinatorServer + 1).All(_protected.Contains);

    /// <summary>Some server has no standby, and none is on its way.</summary>
    public bool WantsStandbys => !HasEnded && State != JobState.Queued && _offered is null && Servers is { } servers && ServerRoles.Unprotected(servers).Any();

    /// <summary>
    /// A silo is gone for good, and all of the job that was there: workers, servers and standbys, in one change. Servers go on where their standbys
    /// are; where there is none, the job goes back to its last checkpoint.
    /// </summary>
    /// <param name="reason">A clause that follows the name of the silo, or of a worker: "has left the cluster".</param>
    public void LoseSilo(string silo, string reason, double now)
    {
        if (HasEnded || _assignment is null)
        {
            return;
        }

        ServerKeys before = Servers!;
        (string[] lost, int[] standbys) = ServerRoles.On(before, silo);
        if (lost.Length == 0 && standbys.Length == 0)
        {
            if (LoseWorkers(silo, reason, now) && (State is JobState.Running or JobState.Evaluating || _change is not null))
            {
                Change(now);
            }

            return;
        }

        string clause = $"silo '{silo}' {reason}";
        if (State == JobState.Queued || ServerRoles.Without(before, silo) is not { } next)
        {
            LoseServers($"{clause} while the job was {State.InWords()} at step {Step}, and with it the job's {string.Join(", ", lost)}");
            return;
        }

        (_nextServers, _offered) = (next, null);
        LoseWorkers(silo, reason, now);
        _members!.Move(lost.Length == 0
            ? $"{clause}, and with it the standbys of {Names(before, standbys)}"
            : $"{clause}: its {string.Join(", ", lost)} {(lost.Length == 1 ? "goes" : "go")} on elsewhere");
        Tell($"{clause}; the state of the job is not protected until {Names(next, ServerRoles.Unprotected(next))} have standbys on another silo again: " +
            "a second loss before that takes the job back to its last checkpoint.");
        _isTold = true;
        ChangeServers(now);
    }

    /// <summary>True if the job would go on from the step in progress without a silo that is perhaps not gone for good.</summary>
    public bool CanLose(string silo) => State != JobState.Queued && Servers is { } servers && ServerRoles.Without(servers, silo) is not null
        && Enumerable.Range(0, servers.CoordinatorServer + 1).All(server => PinnedKey.SiloOf(servers.KeyOf(server)) != silo || _protected.Contains(server));

    /// <summary>A server cannot reach its standby: it goes on without.</summary>
    public Answer LoseStandby(MessageHeader header, int server, string reason, double now)
    {
        if (!IsAt(header.Generation) || Servers is not { } servers || servers.StandbyOf(server) is not { } standby)
        {
            return Verdict.Stale;
        }

        string clause = $"the standby of {ServerRoles.NameOf(servers, server)} on silo '{PinnedKey.SiloOf(standby.Key)}' {reason}";
        (_nextServers, _offered) = (servers with { Standbys = [.. servers.Standbys.Select((known, number) => number == server ? null : known)] }, null);
        _members!.Move(clause);
        Tell($"{clause}; the state of the job is not protected until there is another one.");
        _isTold = true;
        if (State != JobState.Queued)
        {
            ChangeServers(now);
        }

        return Verdict.Accepted;
    }

    /// <summary>
    /// The call of a server has failed though all silos are there: a generation begins, whose freeze shows which server has lost its state, so that its
    /// standby goes on.
    /// </summary>
    /// <param name="reason">A clause.</param>
    /// <returns>False if there is no standby; nothing has happened then.</returns>
    private bool Examine(string reason, double now)
    {
        if (HasEnded || State == JobState.Queued || Servers?.Standbys.Any(standby => standby is not null) != true)
        {
            return false;
        }

        _members!.Move(reason);
        ChangeServers(now);
        return true;
    }

    /// <summary>A standby could take its server's place from now on.</summary>
    public Answer Protected(MessageHeader header, int server)
    {
        if (!IsAt(header.Generation))
        {
            return Verdict.Stale;
        }

        bool isNew = _protected.Add(server) && IsProtected;
        if (isNew && _isTold)
        {
            _isTold = false;
            Tell($"the state of the job is protected again, as of generation {Generation}: each server has a standby on another silo.");
        }

        return Verdict.Accepted;
    }

    /// <summary>Some servers can have no standby on the silos that are there: told once.</summary>
    /// <param name="reason">A clause without a full stop.</param>
    public void TellUnprotected(string reason)
    {
        Warn($"the state of the job is not protected: {reason}; a loss there takes the job back to its last checkpoint. Start a server silo on another host.");
        _isTold = true;
    }

    /// <summary>There are silos for standbys: they are taken on at the next rest, and get the state while training goes on.</summary>
    /// <param name="servers">The same servers.</param>
    public void OfferStandbys(ServerKeys servers)
    {
        if (WantsStandbys && servers.Standbys.Any(standby => standby is not null))
        {
            _offered = servers;
        }
    }

    /// <summary>
    /// A silo with standbys, and without servers, is being emptied: at the next rest they are elsewhere, or left out. Told again, it does nothing.
    /// </summary>
    /// <param name="servers">The same servers, without standbys on that silo.</param>
    /// <param name="deed">What is done to it, for people.</param>
    public void MoveStandbys(ServerKeys servers, string deed = "stopped")
    {
        if (!HasEnded && State != JobState.Queued && _assignment is not null)
        {
            (_offered, _deed) = (servers, deed);
        }
    }

    /// <summary>
    /// A silo with servers is being emptied, and the job would go on without it (<see cref="CanLose"/>): at the next rest their standbys go on in
    /// their places. Told again, it does nothing.
    /// </summary>
    /// <param name="servers">Those without that silo; some of them may have new standbys.</param>
    /// <param name="deed">What is done to the silo, for people.</param>
    public void HandOver(string silo, ServerKeys servers, string deed = "stopped")
    {
        if (CanLose(silo))
        {
            (_offered, _leaving, _deed) = (servers, silo, deed);
        }
    }

    /// <summary>At a rest.</summary>
    private void TakeStandbys()
    {
        if (_offered is not { } offered || Servers is not { } servers)
        {
            return;
        }

        (_offered, string? leaving) = (null, _leaving);
        _leaving = null;
        if (!offered.ByRole.SequenceEqual(servers.ByRole))
        {
            TakeOver(servers, offered, leaving);
            return;
        }

        int[] changed = [.. Enumerable.Range(0, servers.CoordinatorServer + 1)
            .Where(server => offered.StandbyOf(server)?.Key != servers.StandbyOf(server)?.Key)];
        if (changed.Length == 0)
        {
            return;
        }

        _nextServers = offered;
        int[] taken = [.. changed.Where(server => offered.StandbyOf(server) is not null)];
        if (taken.Length == 0)
        {
            _members!.Move($"standbys of {Names(offered, changed)} leave, as their silo is being {_deed}");
            return;
        }

        IEnumerable<string> silos = taken.Select(server => PinnedKey.SiloOf(offered.StandbyOf(server)!.Key)).Distinct();
        _members!.Move($"standbys of {Names(offered, taken)} begin on {string.Join(", ", silos.Select(silo => $"silo '{silo}'"))}");
    }

    /// <summary>Standbys take the places of servers whose silo is being emptied, unless one of them has been lost since.</summary>
    private void TakeOver(ServerKeys servers, ServerKeys offered, string? leaving)
    {
        if (leaving is null || !CanLose(leaving) || !ServerRoles.Without(servers, leaving)!.ByRole.SequenceEqual(offered.ByRole))
        {
            return;
        }

        string[] roles = ServerRoles.On(servers, leaving).Servers;
        _nextServers = offered;
        _members!.Move($"silo '{leaving}' is being {_deed}: its {string.Join(", ", roles)} {(roles.Length == 1 ? "goes" : "go")} on elsewhere");
    }

    /// <summary>Servers that have lost their state, while their silos are there, are left out of the generation that is about to begin.</summary>
    private void TellPromoted(GenerationChange change)
    {
        if (change.Promoted.Count == 0)
        {
            return;
        }

        ServerKeys before = Servers!;
        _nextServers = change.Servers;
        string lost = string.Join(
            ", ", change.Promoted.Select(server => $"{ServerRoles.NameOf(before, server)} on silo '{PinnedKey.SiloOf(before.KeyOf(server))}'"));
        Tell($"{lost} {(change.Promoted.Count == 1 ? "holds" : "hold")} no state of the job any more, and the standbys go on; the state of the job is not " +
            $"protected until {Names(before, change.Promoted)} have standbys on another silo again: a second loss before that takes the job back to its " +
            "last checkpoint.");
        _isTold = true;
    }

    /// <returns>False if no worker was there.</returns>
    private bool LoseWorkers(string silo, string reason, double now)
    {
        int before = LostWorkers;
        _losesSilo = true;
        foreach (string worker in _assignment!.Workers.Select(worker => worker.Name).Where(name => PinnedKey.SiloOf(name) == silo).ToList())
        {
            Lose(worker, reason, now);
        }

        _losesSilo = false;
        return LostWorkers > before && _assignment is not null;
    }

    private void ChangeServers(double now)
    {
        bool saves = State == JobState.Saving;
        Change(now);
        if (saves && !HasEnded && (_change is not null || !HasSameServers))
        {
            // What was read of the version may be incomplete: it is pinned again.
            (State, _isResting, _pinning, _interruptsSave) = (JobState.Running, true, null, _awaitsSave);
        }
    }

    private static string Names(ServerKeys servers, IEnumerable<int> numbers) =>
        string.Join(", ", numbers.Select(server => ServerRoles.NameOf(servers, server)));
}
