using ConvNet.Engine.Errors;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Hosts a <see cref="JobMachine"/> on the simulated network: does what it commands, notices who is gone, and finds free workers.</summary>
internal sealed partial class SimulatedJobGrain(SimulatedCluster cluster, TrainingPlan plan, SplitMix random)
{
    private const int TickPeriod = 250;

    private readonly Life _life = new(cluster.Network.NewHost());
    private Life _clients = new(cluster.Network.NewHost());
    private Dictionary<string, SimulatedWorker> _held = [];
    private Queue<SimulatedWorker> _free = [];
    private readonly Dictionary<string, CompletedSteps> _completed = [];
    private SimulatedJobGrain? _before;
    private JobPosition _start = JobPosition.Start;
    private Assignment? _current;
    private int _asked;
    private bool _isToResume;
    private bool _isSeeking;

    public JobMachine Machine { get; } = new("job", cluster.Job.Shape, FakeModel.TestSamples, "", plan) { IsDetached = cluster.Layout.IsDetached };

    /// <summary>Workers that do what they are told.</summary>
    public IReadOnlyList<SimulatedWorker> Alive => [.. _held.Values.Where(worker => !worker.IsDead && !worker.IsFree)];

    /// <summary>The first step of each generation that was to start.</summary>
    public List<long> FirstSteps { get; private init; } = [];

    /// <summary>
    /// Rows that clients have read from the grains that led the job before, one of which may wake up and lead it on for a while after others have tried to.
    /// </summary>
    public IEnumerable<StepRow> RowsBefore => _before is null ? [] : _before.RowsBefore.Concat(_before.Machine.Rows.Since(0));

    /// <summary>Whole checkpoints, in the order in which they were written.</summary>
    public List<FakeState> Checkpoints { get; private init; } = [];

    /// <summary>Keys of the servers that were to be released last.</summary>
    public HashSet<string> Released { get; private init; } = [];

    /// <summary>The last version that was read from all servers, to be written.</summary>
    public FakeState? Pinned { get; private set; }

    /// <summary>How often workers were lost or taken on in what state of the job.</summary>
    public Dictionary<string, int> Changes { get; private init; } = [];

    public Host Host => _life.Host;

    public Host ClientHost => _clients.Host;

    private double Now => cluster.Network.Seconds;

    /// <param name="asked">How many workers the job wants; those that are missing may join.</param>
    public void Begin(JobPosition position, int workers, int asked)
    {
        (_asked, _start) = (asked, position);
        Assignment first = AssignTo(workers, 1, position.Step);
        Take(() => Machine.Begin(position, first, asked, Now));
        Tick();
    }

    public Answer Progress(MessageHeader header, StepProgress progress)
    {
        if (IsLost)
        {
            return Verdict.Future;
        }

        long before = Machine.Step;
        Answer answer = Take("progress", () => Machine.Progress(header, progress, Now));
        cluster.Invariants.Progressed(before, Machine.Step, answer, leads: this == cluster.Grain);
        return answer;
    }

    public Answer Found(MessageHeader header, StepFinding finding) => IsLost ? Verdict.Future : Take("finding", () => Machine.Found(header, finding, Now));

    public Answer EvaluationDone(MessageHeader header, int firstBlock, Metrics[] blocks) =>
        IsLost ? Verdict.Future : Take("evaluated blocks", () => Machine.EvaluationDone(header, firstBlock, blocks, Now));

    /// <summary>The coordinator cannot go on.</summary>
    public void Fail(string failure) => Take(() => Machine.Fail(new JobFailure((int)ExitCode.TrainingFailed, failure)));

    /// <summary>A server contradicts what was decided of a step.</summary>
    /// <param name="generation">In which it does: when another one has begun meanwhile, it does not matter any more.</param>
    public void FailServer(long generation, string contradiction)
    {
        if (Machine.IsAt(generation))
        {
            Take(() => Machine.FailServer(new JobFailure((int)ExitCode.TrainingFailed, contradiction, IsContradiction: true), Now));
        }
    }

    /// <summary>Gives an order, as a client would whose connection loses and repeats messages.</summary>
    public void Order(JobOrder order) => cluster.Watch(cluster.CallHeadAsync(_clients, grain => grain.Hear(order), SimulatedCluster.IsFinal));

    /// <returns>Future until the order is kept: the client tells it again.</returns>
    private Answer Hear(JobOrder order)
    {
        if (IsLost)
        {
            return Verdict.Future;
        }

        if (!Machine.HasEnded && !Machine.IsOrphaned && (order.Kind != JobOrderKind.Resume || Machine.State == JobState.Paused))
        {
            cluster.Invariants.Ordered(order);
            cluster.Counts.Add($"order: {order.Kind} of a job that is {Phase()}");
            Take(() => Machine.Order(order));
        }

        return Machine.HasEnded || _keptRevision >= Machine.Revision ? Verdict.Accepted : Verdict.Future;
    }

    /// <summary>A free worker turns up; the job may have use for it, now or later.</summary>
    public void Offer() => Bear();

    /// <summary>A worker contradicts itself.</summary>
    /// <returns>False if nobody hears it here.</returns>
    public bool Expel(long generation, string worker, string reason)
    {
        if (IsLost)
        {
            return cluster.Machine.HasEnded;
        }

        if (Machine.IsAt(generation))
        {
            Take(() => Machine.ExpelContradicting(worker, reason, Now));
        }

        return true;
    }

    /// <summary>The job has had a place before, and gets another one.</summary>
    private void BeginAgain()
    {
        JobPosition position = Machine.HasBegun ? Machine.Reached.Position : _start;
        AssignmentStart start = cluster.HasCheckpointAt(position.Step) ? AssignmentStart.Restore : AssignmentStart.Fresh;
        Assignment next = AssignTo(1 + random.Below(_asked), Machine.Generation + 1, position.Step) with { Start = start };
        Take(() => Machine.Begin(position, next, _asked, Now));
    }

    private Assignment AssignTo(int workers, long generation, long step)
    {
        ShardRange[] ranges = ShardAssignment.Assign(cluster.Job.Shape.Shards, [.. Enumerable.Repeat(1.0, workers)]);
        while (_free.Count < workers)
        {
            Bear();
        }

        AssignedWorker[] assigned = [.. ranges.Select(range => Take(range, (int)generation))];
        return new Assignment("job", "", generation, step, assigned, cluster.Place());
    }

    private AssignedWorker Take(ShardRange shards, int generation)
    {
        SimulatedWorker worker = _free.Dequeue();
        _held.Add(worker.Name, worker);
        return AssignedOf(worker) with { Incarnation = generation, Shards = shards };
    }

    private static AssignedWorker AssignedOf(SimulatedWorker worker) => new(worker.Name, 0, default, 1);

    private SimulatedWorker Bear()
    {
        var worker = new SimulatedWorker(cluster, $"node-{cluster.Devices.Count}/0", cluster.Network.NewHost());
        cluster.Devices.Add(worker.Name, worker);
        _free.Enqueue(worker);
        return worker;
    }

    private void Kill(string name)
    {
        SimulatedWorker worker = _held[name];
        cluster.NoteFault("a worker dies");
        worker.Die();
        cluster.Network.After(1 + random.Below(10 * cluster.Layout.Faults.LongestDelay), () =>
        {
            worker.NoteDeath();
            NoticeDeaths();
        });
    }

    private void NoticeDeaths()
    {
        foreach (AssignedWorker worker in (Machine.Assignment?.Workers ?? []).Where(IsKnownDead).ToList())
        {
            Lose(worker.Name, "has left the cluster with its silo");
        }
    }

    private bool IsKnownDead(AssignedWorker worker) => _held.TryGetValue(worker.Name, out SimulatedWorker? held) && held.IsKnownDead;

    private void Lose(string name, string reason)
    {
        int missing = Machine.MissingWorkers;
        string phase = Phase();
        Take(() => Machine.Lose(name, reason, Now));
        Count(Machine.MissingWorkers > missing ? $"lost while {phase}" : null);
    }

    private string Phase() => Machine.Generation > Machine.Assignment?.Generation ? "Changing" : Machine.State.ToString();

    private void Count(string? change)
    {
        if (change is not null)
        {
            Changes[change] = Changes.GetValueOrDefault(change) + 1;
        }
    }

    /// <summary>As the grain's timer does: notices what nobody tells.</summary>
    private void Tick()
    {
        if (Machine.HasEnded || IsLost || cluster.Machine.HasEnded)
        {
            return;
        }

        NoticeLostServers();
        NoticeLostSilos();
        NoticeDeaths();
        Take(() => Machine.Tick(Now));
        if (Machine.WantsPlace && this == cluster.Grain)
        {
            BeginAgain();
        }

        if (Machine.State == JobState.Paused && !_isToResume)
        {
            _isToResume = true;
            cluster.Network.After(random.Below(100 * cluster.Layout.Faults.LongestDelay), () =>
            {
                _isToResume = false;
                Order(JobOrder.Of(JobOrderKind.Resume));
            });
        }

        if (Machine.State == JobState.Orphaned && !_isToResume)
        {
            _isToResume = true;
            Action found = cluster.Layout.LosesClient && random.Chance(300) ? () => cluster.Grain.GiveUp() : () => cluster.Grain.TakeUp();
            cluster.Network.After(random.Below(100 * cluster.Layout.Faults.LongestDelay), found);
        }

        if ((Alive.Count == 0 || Machine.IsWithoutWorkers) && _free.Count == 0 && !cluster.Layout.IsBarren)
        {
            Offer();
        }

        if (Machine.MissingWorkers > 0 && this == cluster.Grain && !_isSeeking && _free.TryDequeue(out SimulatedWorker? free))
        {
            _isSeeking = true;
            cluster.Network.After(Host, 1 + random.Below(20 * cluster.Layout.Faults.LongestDelay), () => Join(free));
        }

        cluster.Network.After(Host, TickPeriod, Tick);
    }

    /// <summary>It has loaded the data meanwhile, and nobody may need it any more.</summary>
    private void Join(SimulatedWorker worker)
    {
        _isSeeking = false;
        if (this != cluster.Grain)
        {
            cluster.Grain.Spare(worker);
            return;
        }

        _held.Add(worker.Name, worker);
        string phase = Phase();
        bool isTaken = false;
        Take(() => isTaken = Machine.Join(AssignedOf(worker), Now));
        Count(isTaken ? $"joined while {phase}" : null);
        if (!isTaken)
        {
            _held.Remove(worker.Name);
            worker.Release(new MessageHeader("job", 0, 0));
        }
    }

    private void Take(Action tell) => Host.Do(() =>
    {
        if (!IsLost)
        {
            tell();
            CarryOut();
        }
    });

    private Answer Take(string message, Func<Answer> tell)
    {
        bool hadEnded = Machine.HasEnded;
        Answer answer = cluster.Counts.Add(message, tell());
        cluster.Invariants.Answered(hadEnded, answer);
        CarryOut();
        return answer;
    }
}
