using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Jobs;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>
/// A job on a simulated cluster: the machines of the protocol as the grains host them, and fake workers. Servers are numbered: the partitions,
/// the batch norms, the coordinator.
/// </summary>
internal sealed partial class SimulatedCluster
{
    private readonly SplitMix _random;
    private readonly FakeState _start;
    private CoordinatorMachine _coordinator;
    private BatchNormMachine _batchNorm;
    private readonly Dictionary<int, long> _restored = [];
    private FakeState _restores;
    private long _restoresFrom;
    private readonly Life[] _servers;
    private readonly Dictionary<int, long> _releasedAt = [];

    /// <summary>The generation before which a released server begins none: a place may be given up while messages of its start are on their way.</summary>
    private readonly Dictionary<int, long> _beginsFrom = [];
    private BatchNormReport? _batchNormReport;
    private int _conflictsLeft;
    private int _nonFinitesLeft;
    private int _otherBitsLeft;
    private int _deathsLeft;

    /// <param name="reference">What every version must be; null: not compared.</param>
    public SimulatedCluster(FakeModel model, Layout layout, FakeState start, TrainingPlan plan, ulong seed, FakeReference? reference = null)
    {
        Model = model;
        Layout = layout;
        Plan = plan;
        _start = _restores = start;
        _random = new SplitMix(seed);
        _conflictsLeft = layout.Conflicts;
        _nonFinitesLeft = layout.NonFinites;
        _otherBitsLeft = layout.OtherBits;
        Network = new SimulatedNetwork(_random, layout.Faults, Script, Counts);
        _servers = [.. Enumerable.Range(0, layout.Partitions + 2).Select(_ => new Life(Network.NewHost()))];
        Store = new SimulatedStore(Network.NewHost());
        Partitions = [.. Enumerable.Range(0, layout.Partitions).Select(RestorePartition)];
        _batchNorm = RestoreBatchNorm();
        _coordinator = RestoreCoordinator();
        Invariants = new JobInvariants(this, reference);
        Coordinator = new SimulatedCoordinator(this, _coordinator, _servers[CoordinatorServer]);
        Grain = new SimulatedJobGrain(this, plan, _random);
    }

    public FakeModel Model { get; }

    public FakeJob Job => Model.Job;

    public Layout Layout { get; }

    public TrainingPlan Plan { get; }

    public SimulatedNetwork Network { get; }

    public BranchCounts Counts { get; } = new();

    public Script Script { get; } = new();

    public JobInvariants Invariants { get; }

    /// <summary>The one that leads the job now.</summary>
    public SimulatedJobGrain Grain { get; private set; }

    /// <summary>All devices so far, by name.</summary>
    public Dictionary<string, SimulatedWorker> Devices { get; } = [];

    public SimulatedStore Store { get; }

    public SimulatedCoordinator Coordinator { get; private set; }

    public PartitionMachine[] Partitions { get; }

    public int BatchNormServer => Partitions.Length;

    public int CoordinatorServer => Partitions.Length + 1;

    public long CommittedStep => _coordinator.Committed.Step;

    /// <summary>Of the steps that are not lost.</summary>
    public List<StepOutcome> Outcomes => [.. Coordinator.Outcomes.Where(outcome => !HasLostServers || outcome.Decision.Step < Machine.Step)];

    public List<string> Complaints { get; } = [];

    /// <summary>Where a server of the job's place is.</summary>
    public Host HostOf(int server) => _servers[server].Host;

    /// <summary>Calls whoever leads the job, anew each time that the call is made again.</summary>
    public Task<T> CallHeadAsync<T>(Life caller, Func<SimulatedJobGrain, T> handler, Func<T, bool> isFinal, SimulatedEvent? message = null) =>
        Network.CallAsync(
            caller,
            () =>
            {
                SimulatedJobGrain grain = Grain;
                return (grain.Host, () => handler(grain));
            },
            isFinal,
            message);

    public JobMachine Machine => Grain.Machine;

    public long Generation => Machine.Generation;

    public IReadOnlyList<FakeState> Checkpoints => Grain.Checkpoints;

    /// <summary>The events of this kind that the job tells of.</summary>
    public T[] EventsOf<T>()
        where T : RunEvent => [.. Machine.Events.Since(0).Select(happened => happened.Event).OfType<T>()];

    /// <summary>Runs until the job has ended and no message is on its way.</summary>
    /// <returns>The state with which the job can go on: the last checkpoint's, or the one that it began with.</returns>
    public FakeState Run()
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Grain.Begin(_start.Position, Layout.Workers, Math.Min(Layout.Workers + Layout.Joins, Job.Shape.Shards));
            for (_deathsLeft = Layout.Deaths; _deathsLeft > 1; _deathsLeft--)
            {
                Network.After(_random.Below(100 * Layout.Faults.LongestDelay), () => Grain.Kill());
            }

            new FaultPlan(this, _random).Schedule();
            if (Network.Drain())
            {
                CheckServers();
                Invariants.Check(Machine, _start.Position.Step);
            }
            else
            {
                Complain($"somebody asks for ever at step {_coordinator.Position.Step} in generation {Generation}, {Machine.State}");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }

        return Checkpoints.LastOrDefault(checkpoint => checkpoint.Position.Step <= Machine.Step) ?? _start;
    }

    /// <summary>Ends the worker with this index in the newest assignment.</summary>
    public void Kill(int worker) => Grain.Kill(worker);

    public FrozenAt Freeze(int server, MessageHeader header)
    {
        FrozenAt frozen = server == CoordinatorServer ? Coordinator.Freeze(header)
            : server == BatchNormServer ? _batchNorm.Freeze(header)
            : Partitions[server].Freeze(header);
        Counts.Add($"freeze of {RoleOf(server)}", frozen.Answer);
        Invariants.Promised(server, header.Generation, frozen);
        return frozen;
    }

    public Answer Begin(int server, Assignment assignment)
    {
        if (assignment.Generation >= Math.Max(_restoresFrom, _beginsFrom.GetValueOrDefault(server)) && _restored.GetValueOrDefault(server) < _restoresFrom)
        {
            _restored[server] = _restoresFrom;
            RestoreServer(server);
        }

        Answer answer = server == CoordinatorServer ? Coordinator.Begin(assignment)
            : server == BatchNormServer ? _batchNorm.Begin(assignment)
            : Partitions[server].Begin(assignment);
        Counts.Add($"start of {RoleOf(server)}", answer);
        Invariants.Begun(server, assignment, answer);
        return answer;
    }

    /// <summary>A server forgets the job: what still comes is of a generation that is over.</summary>
    public Answer Release(int server, MessageHeader header)
    {
        Freeze(server, header with { Generation = header.Generation + 1 });
        _releasedAt[server] = VersionOf(server);
        _beginsFrom[server] = Math.Max(header.Generation + 1, _beginsFrom.GetValueOrDefault(server));
        return Verdict.Accepted;
    }

    public Answer Commit(int server, StepDecision decision)
    {
        Answer answer = server == BatchNormServer ? _batchNorm.Commit(decision) : Partitions[server].Commit(decision);
        Counts.Add($"decision at {RoleOf(server)}", answer);
        Invariants.Took(server, decision.Header, answer);
        if (server == BatchNormServer)
        {
            AfterBatchNorm();
        }

        if (answer.Verdict == Verdict.Accepted && server == BatchNormServer)
        {
            Invariants.Applied(_batchNorm.Version, _batchNorm.Statistics);
        }
        else if (answer.Verdict == Verdict.Accepted)
        {
            Invariants.Applied(Partitions[server], decision.Header);
        }

        return answer;
    }

    public Answer Push(PartitionMachine partition, GradientRoot root, float[] gradient)
    {
        bool complete = partition.Report is not null;
        Answer answer = Counts.Add("gradient", partition.Push(root, gradient));
        Invariants.Took(partition.Plan.Partition, root.Header, answer);
        ExpelOnConflict(answer, root.Header);
        AfterMessage(partition, complete);
        return answer;
    }

    public ReduceAnswer<Moments> ReduceMoments(NormRoots roots, Moments[] moments)
    {
        ReduceAnswer<Moments> reply = _batchNorm.ReduceMoments(roots, moments);
        AfterReduction(roots, Counts.Add("moments", reply.Answer));
        return reply;
    }

    public ReduceAnswer<BackwardSums> ReduceBackwardSums(NormRoots roots, BackwardSums[] sums)
    {
        ReduceAnswer<BackwardSums> reply = _batchNorm.ReduceBackwardSums(roots, sums);
        if (reply.CompletesTree)
        {
            foreach (PartitionMachine partition in Partitions)
            {
                Watch(Network.CallAsync(
                    _servers[BatchNormServer],
                    HostOf(partition.Plan.Partition),
                    () => Deliver(partition, roots.Header, roots.Norm, reply.Total!),
                    IsFinal));
            }
        }

        AfterReduction(roots, Counts.Add("sums of backward", reply.Answer));
        return reply;
    }

    /// <summary>A step is decided. The worst moment for a death: some servers will have taken it before the generation changes, others not.</summary>
    public void NoteDecision()
    {
        if (_deathsLeft > 0 && _random.Chance(500))
        {
            _deathsLeft--;
            Counts.Add("fault: a worker dies after a decision");
            Network.After(1 + _random.Below(Layout.Faults.LongestDelay), () => Grain.Kill());
        }
    }

    /// <summary>True if this message is to be sent twice with different bytes.</summary>
    public bool TakeConflict(MessageHeader header)
    {
        bool take = _conflictsLeft > 0 && header.Step >= 1 && Grain.Alive.Count > 1 && _random.Chance(100);
        _conflictsLeft -= take ? 1 : 0;
        if (take)
        {
            NoteFault("a message is sent twice with different bytes");
        }

        return take;
    }

    /// <summary>Which machines are faulty, besides those of the layout: by assignment, index of the worker, and step.</summary>
    public Func<Assignment, int, long, Fault>? Faults { get; set; }

    /// <summary>What becomes of a worker's part in a step.</summary>
    public Fault TakeFault(Assignment assignment, int worker, long step)
    {
        if (Faults is { } faults)
        {
            return faults(assignment, worker, step);
        }

        if (_otherBitsLeft > 0 && step == _coordinator.Position.Step - 1 && _random.Chance(500))
        {
            _otherBitsLeft--;
            NoteFault($"a machine makes {Fault.OtherBits}");
            return Fault.OtherBits;
        }

        bool take = _nonFinitesLeft > 0 && step == _coordinator.Position.Step && _random.Chance(100);
        _nonFinitesLeft -= take ? 1 : 0;
        Fault fault = !take ? Fault.None : _random.Chance(500) ? Fault.NonFiniteMoments : Fault.NonFiniteGradient;
        if (take)
        {
            NoteFault($"a machine makes {fault}");
        }

        return fault;
    }

    public void Complain(string complaint) => Complaints.Add(complaint);

    /// <summary>Complains if the work fails.</summary>
    public void Watch(Task work) =>
        work.ContinueWith(
            done => Complain(done.Exception!.InnerException!.ToString()),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    internal static bool IsFinal(Answer answer) => answer.Verdict != Verdict.Future;

    /// <summary>Every server stands where the job has ended, and has stood there since it was released.</summary>
    private void CheckServers()
    {
        foreach (int server in Enumerable.Range(0, CoordinatorServer + 1))
        {
            long version = VersionOf(server);
            if (!_releasedAt.TryGetValue(server, out long released) || released != version)
            {
                Complain($"server {server} was released at version {released}, and is at {version}");
            }

            if (Machine.State != JobState.Failed && !HasLostServers && Layout.LostWrites == 0 && (version != Machine.Step || CommittedStep != Machine.Step))
            {
                Complain($"server {server} ended at version {version}, the job at {Machine.Step}, with {CommittedStep} committed");
            }
        }
    }

    private string RoleOf(int server) => server == CoordinatorServer ? "the coordinator" : server == BatchNormServer ? "the batch norms" : "a partition";

    /// <summary>Of the servers of the job's place that have begun there.</summary>
    public long[] Versions() =>
        [.. Enumerable.Range(0, CoordinatorServer + 1).Where(server => _restored.GetValueOrDefault(server) == _restoresFrom).Select(VersionOf)];

    private long VersionOf(int server) => server == CoordinatorServer ? _coordinator.Position.Step
        : server == BatchNormServer ? _batchNorm.Version
        : Partitions[server].Version;

    private Answer Deliver(PartitionMachine partition, MessageHeader header, int norm, BackwardSums totals)
    {
        bool complete = partition.Report is not null;
        Answer answer = Counts.Add("totals of batch norms", partition.Deliver(header, norm, totals));
        Invariants.Took(partition.Plan.Partition, header, answer);
        AfterMessage(partition, complete);
        return answer;
    }

    private void AfterMessage(PartitionMachine partition, bool wasComplete)
    {
        if (!wasComplete && partition.Report is { } report)
        {
            Watch(AskCoordinatorAsync(partition.Plan.Partition, () => Coordinator.Report(report), () => partition.NoteReported(report.Header)));
        }
    }

    private void AfterReduction(NormRoots roots, Answer answer)
    {
        Invariants.Took(BatchNormServer, roots.Header, answer);
        ExpelOnConflict(answer, roots.Header);
        AfterBatchNorm();
    }

    private void AfterBatchNorm()
    {
        if (_batchNorm.Report is { } report && !ReferenceEquals(report, _batchNormReport))
        {
            _batchNormReport = report;
            BatchNormMachine batchNorm = _batchNorm;
            Watch(AskCoordinatorAsync(BatchNormServer, () => Coordinator.Report(report), () => batchNorm.NoteReported(report.Header)));
        }
    }

    private async Task AskCoordinatorAsync(int server, Func<Answer> report, Action noteReported)
    {
        Answer answer = await Network.CallAsync(_servers[server], HostOf(CoordinatorServer), report, IsFinal).ConfigureAwait(false);

        if (answer.IsAcknowledged)
        {
            noteReported();
        }

        // Wrong bytes that arrive before the true ones may complete the sums of a step that runs again; the true ones unmask them.
        bool isUnmasked = answer.Verdict == Verdict.Conflict && _conflictsLeft < Layout.Conflicts;
        if (answer.Verdict == Verdict.Conflict && Layout.OtherBits > 0)
        {
            Grain.Fail(answer.Reason!);
        }
        else if (answer.IsRefused && !isUnmasked)
        {
            Complain($"coordinator: {answer.Reason}");
        }
    }
}
