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
    private readonly List<StepOutcome> _outcomes = [];
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
        _start = start;
        _random = new SplitMix(seed);
        _conflictsLeft = layout.Conflicts;
        _nonFinitesLeft = layout.NonFinites;
        _otherBitsLeft = layout.OtherBits;
        _siloDeathsLeft = Math.Min(1, layout.SiloDeaths);
        Network = new SimulatedNetwork(_random, layout.Faults, Script, Counts);
        Store = new SimulatedStore(Network.NewHost());
        Plans = [.. Enumerable.Range(0, layout.Partitions).Select(partition => new PartitionPlan(model.Layout, partition, layout.Partitions))];
        Invariants = new JobInvariants(this, reference);
        for (int silo = 0; silo < layout.Silos; silo++)
        {
            BearSilo();
        }

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

    public PartitionPlan[] Plans { get; }

    public int BatchNormServer => Plans.Length;

    public int CoordinatorServer => Plans.Length + 1;

    /// <summary>Steps that some coordinator of the job's place knows to be taken by all.</summary>
    public long CommittedStep { get; private set; }

    /// <summary>Decisions told again to a server that had not committed them when the generation changed.</summary>
    public int Resends { get; private set; }

    /// <summary>Of the steps that are not lost.</summary>
    public List<StepOutcome> Outcomes => [.. _outcomes.Where(outcome => !(HasLostServers || _haveSilosBeenLost) || outcome.Decision.Step < Machine.Step)];

    /// <summary>Steps that are decided, as far as is known.</summary>
    private long DecidedStep => _outcomes.Count == 0 ? CommittedStep : _outcomes[^1].Decision.Step + 1;

    public List<string> Complaints { get; } = [];

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
                Complain($"somebody asks for ever after {CommittedStep} committed steps in generation {Generation}, {Machine.State}");
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

    public Answer Push(SimulatedServer server, GradientRoot root, float[] gradient)
    {
        Answer answer = Counts.Add("gradient", server.Partition!.Push(root, gradient));
        Invariants.Took(server.Key, root.Header, answer);
        ExpelOnConflict(answer, root.Header);
        server.AfterMessage();
        return answer;
    }

    public ReduceAnswer<Moments> ReduceMoments(SimulatedServer server, NormRoots roots, Moments[] moments)
    {
        ReduceAnswer<Moments> reply = server.BatchNorm!.ReduceMoments(roots, moments);
        AfterReduction(server, roots, Counts.Add("moments", reply.Answer));
        return reply;
    }

    public ReduceAnswer<BackwardSums> ReduceBackwardSums(SimulatedServer server, NormRoots roots, BackwardSums[] sums)
    {
        ReduceAnswer<BackwardSums> reply = server.BatchNorm!.ReduceBackwardSums(roots, sums);
        if (reply.CompletesTree)
        {
            foreach (string partition in server.Assignment!.Servers.Partitions)
            {
                Watch(CallAsync(server.Life, partition, copy => Deliver(copy, roots.Header, roots.Norm, reply.Total!), IsFinal));
            }
        }

        AfterReduction(server, roots, Counts.Add("sums of backward", reply.Answer));
        return reply;
    }

    /// <summary>A step is decided. The worst moment for a death: some servers will have taken it before the generation changes, others not.</summary>
    public void NoteDecision(StepOutcome outcome)
    {
        // A coordinator that is taken for dead may decide when another one is past that.
        if (_outcomes.All(known => known.Decision.Header.Generation <= outcome.Decision.Header.Generation))
        {
            _outcomes.RemoveAll(known => known.Decision.Step >= outcome.Decision.Step);
            _outcomes.Add(outcome);
        }

        if (_deathsLeft > 0 && _random.Chance(500))
        {
            _deathsLeft--;
            Counts.Add("fault: a worker dies after a decision");
            Network.After(1 + _random.Below(Layout.Faults.LongestDelay), () => Grain.Kill());
        }

        if (_siloDeathsLeft > 0 && _random.Chance(300))
        {
            _siloDeathsLeft--;
            Counts.Add("fault: a silo dies after a decision");
            Network.After(1 + _random.Below(2 * Layout.Faults.LongestDelay), KillSilo);
        }
    }

    public void NoteResend(StepDecision again) =>
        Resends += _outcomes.Any(outcome => outcome.Decision.Step == again.Step && outcome.Decision.Header.Generation < again.Header.Generation) ? 1 : 0;

    /// <summary>A coordinator knows that all have taken a step.</summary>
    public void NoteCommitted(SimulatedServer coordinator, StepOutcome outcome) =>
        CommittedStep = coordinator.Life.IsOver ? CommittedStep : Math.Max(CommittedStep, outcome.Position.Step);

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

        if (_otherBitsLeft > 0 && step == DecidedStep - 1 && _random.Chance(500))
        {
            _otherBitsLeft--;
            NoteFault($"a machine makes {Fault.OtherBits}");
            return Fault.OtherBits;
        }

        bool take = _nonFinitesLeft > 0 && step == DecidedStep && _random.Chance(100);
        _nonFinitesLeft -= take ? 1 : 0;
        Fault fault = !take ? Fault.None : _random.Chance(500) ? Fault.NonFiniteMoments : Fault.NonFiniteGradient;
        if (take)
        {
            NoteFault($"a machine makes {fault}");
        }

        return fault;
    }

    public void Complain(string complaint)
    {
        Network.Tell(() => $"COMPLAINT: {complaint}");
        Complaints.Add(complaint);
    }

    /// <summary>Complains if the work fails.</summary>
    public void Watch(Task work) =>
        work.ContinueWith(
            done => Complain(done.Exception!.InnerException!.ToString()),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    internal static bool IsFinal(Answer answer) => answer.Verdict != Verdict.Future;

    private Answer Deliver(SimulatedServer server, MessageHeader header, int norm, BackwardSums totals)
    {
        Answer answer = Counts.Add("totals of batch norms", server.Partition!.Deliver(header, norm, totals));
        Invariants.Took(server.Key, header, answer);
        server.AfterMessage();
        return answer;
    }

    private void AfterReduction(SimulatedServer server, NormRoots roots, Answer answer)
    {
        Invariants.Took(server.Key, roots.Header, answer);
        ExpelOnConflict(answer, roots.Header);
        server.AfterMessage();
    }
}
