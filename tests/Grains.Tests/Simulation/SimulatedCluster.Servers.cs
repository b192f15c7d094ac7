using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Jobs;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The silos that serve, what is on them, and how it is called: a silo that is dead answers nobody, until all know that it is.</summary>
internal sealed partial class SimulatedCluster
{
    private readonly Dictionary<string, SimulatedServer> _servers = [];
    private readonly Dictionary<string, Host> _hosts = [];
    private readonly List<string> _silos = [];
    private readonly HashSet<string> _lostSilos = [];
    private readonly HashSet<string> _suspected = [];
    private int _silosBorn;
    private int _siloDeathsLeft;
    private bool _haveSilosBeenLost;

    /// <summary>Silos that are taken for lost: whoever calls them is told so.</summary>
    public IReadOnlyCollection<string> LostSilos => _lostSilos;

    /// <summary>The servers of the generation that works, by number.</summary>
    public SimulatedServer ServerAt(int number) => _servers[Machine.Assignment!.Servers.KeyOf(number)];

    /// <summary>Where a job is placed now.</summary>
    public ServerKeys Place()
    {
        while (_silos.Count == 0)
        {
            BearSilo();
        }

        var keys = new ServerKeys(
            [.. Enumerable.Range(0, Plans.Length).Select(partition => PinnedKey.Partition(On(partition), "job", partition))],
            PinnedKey.OfJob(On(1), "norms"),
            PinnedKey.OfJob(On(0), "job"),
            PinnedKey.OfJob(On(0), "job"));
        return Layout.Silos > 1 ? WithStandbys(keys) : keys;

        string On(int turn) => _silos[turn % _silos.Count];
    }

    public ServerKeys WithStandbys(ServerKeys servers) => ServerRoles.WithStandbys(servers, _silos);

    /// <summary>Some silo dies with all that is there; a while later all know, and another one joins.</summary>
    public void KillSilo()
    {
        if (_silos.Count > 0)
        {
            KillSilo(_silos[_random.Below(_silos.Count)]);
        }
    }

    public void KillSilo(string silo)
    {
        if (_silos.Contains(silo))
        {
            NoteFault("a silo dies");
            foreach (SimulatedServer server in _servers.Values.Where(server => PinnedKey.SiloOf(server.Key) == silo))
            {
                server.IsDead = true;
                server.Life.End();
            }

            Lose(silo, 1 + _random.Below(10 * Layout.Faults.LongestDelay));
        }
    }

    /// <summary>Some silo is taken for lost, and what is there works on.</summary>
    public void SuspectSilo()
    {
        if (_silos.Count > 0)
        {
            SuspectSilo(_silos[_random.Below(_silos.Count)]);
        }
    }

    public void SuspectSilo(string silo)
    {
        if (_silos.Contains(silo))
        {
            NoteFault("a silo is taken for dead");
            _suspected.Add(silo);
            Lose(silo, 1);
        }
    }

    /// <summary>A silo is to be stopped: nothing new begins there, and what is there works on.</summary>
    public void StopSilo(string silo)
    {
        _suspected.Add(silo);
        _silos.Remove(silo);
        Network.After(_random.Below(200 * Layout.Faults.LongestDelay), BearSilo);
    }

    /// <summary>Where a server is, or its standby.</summary>
    public Host HostOf(string key)
    {
        if (!_hosts.TryGetValue(key, out Host? host))
        {
            _hosts[key] = host = Network.NewHost();
        }

        return host;
    }

    private void Lose(string silo, int noticedAfter)
    {
        _haveSilosBeenLost = true;
        _silos.Remove(silo);
        Network.After(noticedAfter, () =>
        {
            _lostSilos.Add(silo);
            Grain.NoticeLostSilos();
        });
        Network.After(noticedAfter + _random.Below(200 * Layout.Faults.LongestDelay), BearSilo);
    }

    private void BearSilo() => _silos.Add($"server-{_silosBorn++:D2}");

    /// <returns>Null if its silo is dead or it has not been started there.</returns>
    public SimulatedServer? Find(string key) => _servers.TryGetValue(key, out SimulatedServer? server) && !server.IsDead ? server : null;

    /// <summary>What a caller makes of a grain that does not answer: it asks again until all know that the silo is gone.</summary>
    public Answer Silent(string key) => IsLost(key) ? Verdict.Stale : Verdict.Future;

    public bool IsLost(string key) => _lostSilos.Contains(PinnedKey.SiloOf(key));

    /// <summary>Calls a server, or its standby, wherever it is.</summary>
    public Task<Answer> CallAsync(
        Life caller, string key, Func<SimulatedServer, Answer> call, Func<Answer, bool> isFinal, SimulatedEvent? message = null) =>
        CallAsync(caller, key, call, silent => silent, isFinal, message);

    public Task<BlockAnswer> CallAsync(
        Life caller, string key, Func<SimulatedServer, BlockAnswer> call, Func<BlockAnswer, bool> isFinal, SimulatedEvent? message = null) =>
        CallAsync(caller, key, call, silent => silent, isFinal, message);

    /// <param name="silence">What a caller makes of a server that is not there.</param>
    public Task<T> CallAsync<T>(
        Life caller, string key, Func<SimulatedServer, T> call, Func<Answer, T> silence, Func<T, bool> isFinal, SimulatedEvent? message = null) =>
        ReachAsync(caller, key, () => Find(key) is { } server ? call(server) : silence(Silent(key)), isFinal, message);

    /// <summary>The same of a server that may not be there before.</summary>
    public Task<T> ReachAsync<T>(Life caller, string key, Func<T> handler, Func<T, bool> isFinal, SimulatedEvent? message = null) =>
        Network.CallAsync(caller, () => (HostOf(key), handler), isFinal, message);

    /// <returns>Null while it does not answer.</returns>
    public FrozenAt? Freeze(string key, int number, MessageHeader header, bool asStandby)
    {
        if (Meet(key, number) is not { } server)
        {
            return null;
        }

        FrozenAt frozen = server.Freeze(header);
        Counts.Add($"freeze of {RoleOf(number, asStandby)}", frozen.Answer);
        Invariants.Promised(key, header.Generation, frozen);
        return frozen;
    }

    /// <returns>Null while it does not answer.</returns>
    public Answer? Begin(string key, int number, Assignment assignment)
    {
        if (Meet(key, number) is not { } server)
        {
            return null;
        }

        bool asStandby = assignment.Servers.IsStandby(number, key);
        if (server.MayBegin(assignment) && (assignment.Start != AssignmentStart.GoOn || (asStandby && !server.HasJob)))
        {
            Restart(server, asStandby ? null : assignment);
        }

        Answer answer = Counts.Add($"start of {RoleOf(number, assignment.Servers.IsStandby(number, key))}", server.Begin(assignment));
        Invariants.Begun(key, assignment, answer);
        return answer;
    }

    /// <summary>A server forgets the job: what still comes is of a generation that is over.</summary>
    /// <returns>Null while it does not answer.</returns>
    public Answer? Release(string key, int number, MessageHeader header, bool asStandby)
    {
        if (Meet(key, number) is not { } server)
        {
            return null;
        }

        if (header.Generation >= server.Promised)
        {
            Freeze(key, server.Number, header with { Generation = header.Generation + 1 }, asStandby);
            server.ReleasedAt = server.Version;
            server.Forget();
        }

        return Verdict.Accepted;
    }

    /// <summary>A server has something to tell the coordinator of its generation.</summary>
    /// <param name="noteReported">Called when the coordinator has taken it.</param>
    public void ReportOnce(SimulatedServer server, MessageHeader header, Func<SimulatedCoordinator, Answer> report, Action noteReported)
    {
        if (server.TakeReport(header))
        {
            Watch(ReportAsync(server, header.Generation, report, noteReported));
        }
    }

    private async Task ReportAsync(SimulatedServer server, long generation, Func<SimulatedCoordinator, Answer> report, Action noteReported)
    {
        string coordinator = server.Assignment!.Servers.Coordinator;
        Answer answer = await CallAsync(server.Life, coordinator, copy => report(copy.Messenger!), IsFinal).ConfigureAwait(false);
        if (answer.IsAcknowledged)
        {
            noteReported();
        }

        // Wrong bytes that arrive before the true ones may complete the sums of a step that runs again; the true ones unmask them.
        if (answer.Verdict == Verdict.Conflict && (_conflictsLeft < Layout.Conflicts || Layout.OtherBits > 0))
        {
            Grain.FailServer(generation, answer.Reason!);
        }
        else if (answer.IsRefused)
        {
            Complain($"coordinator: {answer.Reason}");
        }
    }

    /// <summary>Of the servers, and of the standbys that have the state, in the newest generation.</summary>
    public long[] Versions()
    {
        SimulatedServer[] begun = [.. _servers.Values.Where(server => !server.IsDead && server.Assignment is not null && server.Place == _place)];
        long newest = begun.Max(server => server.Assignment!.Generation);
        return [.. begun.Where(server => server.Assignment!.Generation == newest && server.HoldsState).Select(server => server.Version)];
    }

    /// <summary>Every server stands where the job has ended, and has stood there since it was released.</summary>
    private void CheckServers()
    {
        foreach (SimulatedServer server in Grain.Released.Where(key => !IsLost(key) && _servers.ContainsKey(key)).Select(key => _servers[key]))
        {
            // A release by a record that has lost a generation comes too early for a server that knows it: that one asks the job at last, and frees itself.
            if (Layout.LostWrites == 0 && server.Assignment is not null && server.ReleasedAt != server.Version)
            {
                Complain($"server {server.Key} was released at version {server.ReleasedAt}, and is at {server.Version}");
            }

            if (Machine.State != JobState.Failed && !HasLostServers && Layout.LostWrites == 0 && server.HoldsState && (server.Version != Machine.Step || CommittedStep != Machine.Step))
            {
                Complain($"server {server.Key} ended at version {server.Version}, the job at {Machine.Step}, with {CommittedStep} committed");
            }
        }
    }

    /// <summary>A call makes a grain active, which holds nothing yet. Null: its silo is dead.</summary>
    private SimulatedServer? Meet(string key, int number)
    {
        if (!_servers.TryGetValue(key, out SimulatedServer? server))
        {
            server = new SimulatedServer(this, number, key) { IsDead = !_silos.Contains(PinnedKey.SiloOf(key)) && !IsSuspected(key) };
            _servers[key] = server;
            Restart(server, null);
        }

        return server.IsDead ? null : server;
    }

    private string RoleOf(int server, bool asStandby) => asStandby ? "a standby"
        : server == CoordinatorServer ? "the coordinator"
        : server == BatchNormServer ? "the batch norms"
        : "a partition";

    private bool IsSuspected(string key) => _suspected.Contains(PinnedKey.SiloOf(key));

    /// <summary>Its machine has the state of the checkpoint, or none that is of use.</summary>
    /// <param name="first">Of a place; null: a standby, or nothing is begun yet.</param>
    private void Restart(SimulatedServer server, Assignment? first)
    {
        FakeState checkpoint = CheckpointAt(first?.FirstStep ?? 0);
        FakeState state = first is null ? Nothing() : first.Start == AssignmentStart.Restore ? checkpoint.Empty() : checkpoint;
        server.Start(
            first?.Generation ?? _place,
            server.Number < Plans.Length ? state.Load(Plans[server.Number], Job) : null,
            server.Number == BatchNormServer
                ? new BatchNormMachine(Job.Shape, Job.BatchNorm, Job.Average, state.Statistics, state.Position.Step, state.BatchesSeen)
                : null,
            server.Number == CoordinatorServer
                ? new CoordinatorMachine(
                    Job.Shape, Model.Layout, Job.Optimizer, Job.Schedule, Job.MaxGradientNorm, Layout.Partitions, hasBatchNorm: true, state.Position)
                : null);
    }

    private FakeState Nothing()
    {
        FakeState start = FakeState.Initial(Model, Job.Optimizer);
        foreach (float[] tensor in start.Weights)
        {
            Array.Fill(tensor, 77);
        }

        return start;
    }
}
