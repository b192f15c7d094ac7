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
    private FakeState _restores;
    private long _restoresFrom;
    private int _conflictsLeft;
    private int _nonFinitesLeft;
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
        _siloDeathsLeft = Math.Min(1, layout.SiloDeaths);
        Network = new SimulatedNetwork(_random, layout.Faults, Script);
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

    public Script Script { get; } = new();

    public JobInvariants Invariants { get; }

    /// <summary>The one that leads the job now.</summary>
    public SimulatedJobGrain Grain { get; private set; }

    /// <summary>All devices so far, by name.</summary>
    public Dictionary<string, SimulatedWorker> Devices { get; } = [];

    public SimulatedStore Store { get; } = new();

    public PartitionPlan[] Plans { get; }

    public int BatchNormServer => Plans.Length;

    public int CoordinatorServer => Plans.Length + 1;

    /// <summary>Steps that some coordinator of the job's place knows to be taken by all.</summary>
    public long CommittedStep { get; set; }

    /// <summary>Decisions told again to a server that had not committed them when the generation changed.</summary>
    public int Resends { get; private set; }

    /// <summary>Of the steps that are not lost.</summary>
    public List<StepOutcome> Outcomes => [.. _outcomes.Where(outcome => outcome.Decision.Step < Machine.Step)];

    /// <summary>The servers of the job's place are gone, and their state with them.</summary>
    public bool AreServersLost { get; set; }

    public List<string> Complaints { get; } = [];

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

    public Answer Push(string partition, GradientRoot root, float[] gradient)
    {
        Answer answer = Tell(partition, copy =>
        {
            Answer taken = copy.Partition!.Push(root, gradient);
            Invariants.Took(partition, root.Header, taken);
            copy.AfterMessage();
            return taken;
        });
        Grain.QuarantineOnConflict(answer, root.Header);
        return answer;
    }

    public ReduceAnswer<Moments> ReduceMoments(Assignment assignment, NormRoots roots, Moments[] moments)
    {
        if (Find(assignment.Servers.BatchNorm) is not { } server)
        {
            return new ReduceAnswer<Moments>(Silent(assignment.Servers.BatchNorm), null, false);
        }

        ReduceAnswer<Moments> reply = server.BatchNorm!.ReduceMoments(roots, moments);
        AfterReduction(server, roots, reply.Answer);
        return reply;
    }

    public ReduceAnswer<BackwardSums> ReduceBackwardSums(Assignment assignment, NormRoots roots, BackwardSums[] sums)
    {
        if (Find(assignment.Servers.BatchNorm) is not { } server)
        {
            return new ReduceAnswer<BackwardSums>(Silent(assignment.Servers.BatchNorm), null, false);
        }

        ReduceAnswer<BackwardSums> reply = server.BatchNorm!.ReduceBackwardSums(roots, sums);
        if (reply.CompletesTree)
        {
            foreach (string partition in assignment.Servers.Partitions)
            {
                Watch(CallAsync(server, partition, copy =>
                {
                    Answer answer = copy.Partition!.Deliver(roots.Header, roots.Norm, reply.Total!);
                    Invariants.Took(partition, roots.Header, answer);
                    copy.AfterMessage();
                    return answer;
                }));
            }
        }

        AfterReduction(server, roots, reply.Answer);
        return reply;
    }

    /// <summary>A step is decided. The worst moment for a death: some servers will have taken it before the generation changes, others not.</summary>
    public void NoteDecision(StepOutcome outcome)
    {
        _outcomes.RemoveAll(known => known.Decision.Step >= outcome.Decision.Step);
        _outcomes.Add(outcome);
        if (_deathsLeft > 0 && _random.Chance(500))
        {
            _deathsLeft--;
            Network.After(1 + _random.Below(Layout.Faults.LongestDelay), () => Grain.Kill());
        }

        if (_siloDeathsLeft > 0 && _random.Chance(300))
        {
            _siloDeathsLeft--;
            Network.After(1 + _random.Below(2 * Layout.Faults.LongestDelay), KillSilo);
        }
    }

    public void NoteResend(StepDecision again) =>
        Resends += _outcomes.Any(outcome => outcome.Decision.Step == again.Step && outcome.Decision.Header.Generation < again.Header.Generation) ? 1 : 0;

    /// <summary>True if this message is to be sent twice with different bytes.</summary>
    public bool TakeConflict(MessageHeader header)
    {
        bool take = _conflictsLeft > 0 && header.Step >= 1 && Grain.Alive.Count > 1 && _random.Chance(100);
        _conflictsLeft -= take ? 1 : 0;
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

        bool take = _nonFinitesLeft > 0 && _outcomes.All(outcome => outcome.Decision.Step < step) && step >= CommittedStep && _random.Chance(100);
        _nonFinitesLeft -= take ? 1 : 0;
        return !take ? Fault.None : _random.Chance(500) ? Fault.NonFiniteMoments : Fault.NonFiniteGradient;
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

    private void AfterReduction(SimulatedServer server, NormRoots roots, Answer answer)
    {
        Invariants.Took(server.Key, roots.Header, answer);
        Grain.QuarantineOnConflict(answer, roots.Header);
        server.AfterMessage();
    }
}
