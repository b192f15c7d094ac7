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
    private readonly List<string> _silos = [];
    private readonly HashSet<string> _lostSilos = [];
    private readonly HashSet<string> _suspected = [];
    private int _silosBorn;
    private int _siloDeathsLeft;

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
            string silo = _silos[_random.Below(_silos.Count)];
            _suspected.Add(silo);
            Lose(silo, 1);
        }
    }

    private void Lose(string silo, int noticedAfter)
    {
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

    public Answer Tell(string key, Func<SimulatedServer, Answer> tell) => Find(key) is { } server ? tell(server) : Silent(key);

    public BlockAnswer Read(string key, Func<SimulatedServer, BlockAnswer> read) => Find(key) is { } server ? read(server) : Silent(key);

    /// <summary>A server calls another one.</summary>
    public Task<Answer> CallAsync(SimulatedServer caller, string key, Func<SimulatedServer, Answer> call, SimulatedEvent? message = null) =>
        Network.CallAsync(caller.Life, () => Tell(key, call), IsFinal, message);

    /// <returns>Null while it does not answer.</returns>
    public FrozenAt? Freeze(string key, int number, MessageHeader header)
    {
        if (Meet(key, number, header.Generation, standby: true) is not { } server)
        {
            return null;
        }

        FrozenAt frozen = server.Freeze(header);
        Invariants.Promised(key, header.Generation, frozen);
        return frozen;
    }

    /// <returns>Null while it does not answer.</returns>
    public Answer? Begin(string key, int number, Assignment assignment)
    {
        if (Meet(key, number, assignment.Generation, assignment.Servers.IsStandby(number, key)) is not { } server)
        {
            return null;
        }

        if (assignment.Generation >= Math.Max(_restoresFrom, server.BeginsFrom) && !server.HasStartedFor(_restoresFrom))
        {
            Restart(server, assignment.Servers.IsStandby(number, key), assignment.Generation);
        }

        Answer answer = server.Begin(assignment);
        Invariants.Begun(key, assignment, answer);
        return answer;
    }

    /// <summary>A server forgets the job: what still comes is of a generation that is over.</summary>
    /// <returns>Null while it does not answer.</returns>
    public Answer? Release(string key, int number, MessageHeader header)
    {
        if (Meet(key, number, header.Generation, standby: true) is not { } server)
        {
            return null;
        }

        Freeze(key, server.Number, header with { Generation = header.Generation + 1 });
        server.ReleasedAt = server.Version;
        server.BeginsFrom = Math.Max(header.Generation + 1, server.BeginsFrom);
        return Verdict.Accepted;
    }

    /// <summary>A server has something to tell the coordinator of its generation.</summary>
    public void ReportOnce(SimulatedServer server, MessageHeader header, Func<SimulatedCoordinator, Answer> report)
    {
        if (server.TakeReport(header))
        {
            Watch(ReportAsync(server, server.Assignment!.Servers.Coordinator, report));
        }
    }

    private async Task ReportAsync(SimulatedServer server, string coordinator, Func<SimulatedCoordinator, Answer> report)
    {
        Answer answer = await CallAsync(server, coordinator, copy => report(copy.Host!)).ConfigureAwait(false);

        // Wrong bytes that arrive before the true ones may complete the sums of a step that runs again; the true ones unmask them.
        bool isUnmasked = answer.Verdict == Verdict.Conflict && _conflictsLeft < Layout.Conflicts;
        if (answer.IsRefused && !isUnmasked)
        {
            Complain($"coordinator: {answer.Reason}");
        }
    }

    /// <summary>Every server stands where the job has ended, and has stood there since it was released.</summary>
    private void CheckServers()
    {
        foreach (SimulatedServer server in Grain.Released.Where(key => !IsLost(key) && _servers.ContainsKey(key)).Select(key => _servers[key]))
        {
            if (server.ReleasedAt is not { } released || released != server.Version)
            {
                Complain($"server {server.Key} was released at version {server.ReleasedAt}, and is at {server.Version}");
            }

            if (Machine.State != JobState.Failed && !HasLostServers && server.HoldsState && (server.Version != Machine.Step || CommittedStep != Machine.Step))
            {
                Complain($"server {server.Key} ended at version {server.Version}, the job at {Machine.Step}, with {CommittedStep} committed");
            }
        }
    }

    /// <summary>A call makes a grain active. Null: its silo is dead.</summary>
    /// <param name="generation">Of the call: one of an earlier place, which has come late, leaves nothing behind.</param>
    private SimulatedServer? Meet(string key, int number, long generation, bool standby)
    {
        if (!_servers.TryGetValue(key, out SimulatedServer? server))
        {
            server = new SimulatedServer(this, number, key) { IsDead = !_silos.Contains(PinnedKey.SiloOf(key)) && !IsSuspected(key) };
            _servers[key] = server;
            Restart(server, standby, generation);
        }

        return server.IsDead ? null : server;
    }

    private bool IsSuspected(string key) => _suspected.Contains(PinnedKey.SiloOf(key));

    /// <summary>A new activation has the state of the checkpoint, or, as a standby, none that is of use.</summary>
    private void Restart(SimulatedServer server, bool asStandby, long generation)
    {
        FakeState state = asStandby ? Nothing() : _restores;
        server.Start(
            generation >= _restoresFrom ? _restoresFrom : -1,
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
