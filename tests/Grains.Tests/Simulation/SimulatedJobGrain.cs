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

    private readonly Life _life = new();
    private Life _clients = new();
    private Dictionary<string, SimulatedWorker> _held = [];
    private Queue<SimulatedWorker> _free = [];
    private readonly Dictionary<string, CompletedSteps> _completed = [];
    private JobPosition _start = JobPosition.Start;
    private Assignment? _current;
    private int _asked;
    private bool _isToResume;
    private bool _isSeeking;

    public JobMachine Machine { get; } = new("job", cluster.Job.Shape, FakeModel.TestSamples, "", plan);

    /// <summary>Workers that do what they are told.</summary>
    public IReadOnlyList<SimulatedWorker> Alive => [.. _held.Values.Where(worker => !worker.IsDead && !worker.IsFree)];

    /// <summary>The first step of each generation that was to start.</summary>
    public List<long> FirstSteps { get; private init; } = [];

    /// <summary>Rows that clients have read from the grains that led the job before.</summary>
    public IReadOnlyList<StepRow> RowsBefore { get; private init; } = [];

    /// <summary>Reasons for which a worker was expelled.</summary>
    public List<string> Quarantined { get; private init; } = [];

    /// <summary>Whole checkpoints, in the order in which they were written.</summary>
    public List<FakeState> Checkpoints { get; private init; } = [];

    /// <summary>Keys of the servers that were to be released last.</summary>
    public HashSet<string> Released { get; private init; } = [];

    /// <summary>How often workers were lost or taken on in what state of the job.</summary>
    public Dictionary<string, int> Changes { get; private init; } = [];

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
        Answer answer = Take(() => Machine.Progress(header, progress, Now));
        cluster.Invariants.Progressed(before, Machine.Step, answer);
        return answer;
    }

    public Answer Found(MessageHeader header, StepFinding finding) => IsLost ? Verdict.Future : Take(() => Machine.Found(header, finding, Now));

    public Answer EvaluationDone(MessageHeader header, int firstBlock, Metrics[] blocks) =>
        IsLost ? Verdict.Future : Take(() => Machine.EvaluationDone(header, firstBlock, blocks, Now));

    public void Fail(string failure)
    {
        Take(() =>
        {
            Machine.Fail(new JobFailure((int)ExitCode.TrainingFailed, failure));
        });
    }

    /// <summary>Gives an order, as a client would whose connection loses and repeats messages.</summary>
    public void Order(JobOrder order) => cluster.Watch(cluster.Network.CallAsync(_clients, () => cluster.Grain.Hear(order), SimulatedCluster.IsFinal));

    public void LoseClient() => Take(() => Machine.LoseClient(10));

    /// <summary>The silo of a server is being stopped.</summary>
    public void Vacate() => Take(() => Machine.Vacate("a server's silo was stopped"));

    /// <summary>The silo of the job grain is being stopped.</summary>
    public void EndSaved() => Take(() => Machine.EndSaved("the job's silo was stopped"));

    /// <summary>The silo of some worker is being stopped.</summary>
    public void Withdraw()
    {
        if (Machine.Assignment?.Workers is { Length: > 0 } workers)
        {
            string name = workers[random.Below(workers.Length)].Name;
            Take(() => Machine.Withdraw(name, "has left"));
        }
    }

    /// <returns>Future until the order is kept: the client tells it again.</returns>
    private Answer Hear(JobOrder order)
    {
        if (IsLost)
        {
            return Verdict.Future;
        }

        if (!Machine.HasEnded && (order.Kind != JobOrderKind.Resume || Machine.State == JobState.Paused))
        {
            cluster.Invariants.Ordered(order);
            Take(() => Machine.Order(order));
        }

        return Machine.HasEnded || _keptRevision >= Machine.Revision ? Verdict.Accepted : Verdict.Future;
    }

    /// <summary>A free worker turns up; the job may have use for it, now or later.</summary>
    public void Offer() => Bear();

    /// <summary>All workers are seen often enough for their paces to be known, and some worker is slow.</summary>
    public void SlowDown()
    {
        if (Machine.Assignment is not { } assignment)
        {
            return;
        }

        int slow = random.Below(assignment.Workers.Length);
        for (int sight = 0; sight <= 5; sight++)
        {
            foreach ((int index, AssignedWorker worker) in assignment.Workers.Index())
            {
                CompletedSteps done = _completed.GetValueOrDefault(worker.Name);
                double seconds = worker.Shards.Count * (index == slow ? 4 : 1);
                done = _completed[worker.Name] = new CompletedSteps(
                    done.Steps + 4, done.Shards + 4 * worker.Shards.Count, done.ComputeSeconds + 4 * seconds, done.Seconds + 4 * seconds);
                var status = new WorkerStatus(worker.Name, worker.Shards.First, worker.Shards.End, Machine.Step, 0, 0, 0, 0, 0)
                {
                    Generation = assignment.Generation,
                    Completed = done,
                };
                Take(() => Machine.WorkerSeen(assignment.HeaderOf(Machine.Step, index), status, Now));
            }
        }
    }

    /// <summary>Ends some worker.</summary>
    public void Kill()
    {
        if (Alive.Count > 0)
        {
            Kill(Alive[random.Below(Alive.Count)].Name);
        }
    }

    /// <summary>Ends the worker with this index in the newest assignment.</summary>
    public void Kill(int worker) => Kill(_current!.Workers[worker].Name);

    /// <summary>Takes some worker for dead that goes on working.</summary>
    public void Suspect()
    {
        AssignedWorker[] workers = Machine.Assignment?.Workers ?? [];
        if (Machine.HasEnded)
        {
            return;
        }

        if (Machine.State == JobState.Queued || workers.Length == 0)
        {
            cluster.Network.After(TickPeriod, () => cluster.Grain.Suspect());
        }
        else
        {
            Lose(workers[random.Below(workers.Length)].Name, "is silent");
        }
    }

    public void QuarantineOnConflict(Answer answer, MessageHeader header)
    {
        if (answer.Verdict == Verdict.Conflict && header.Generation == Machine.Assignment?.Generation)
        {
            string name = Machine.Assignment.Workers[header.Worker].Name;
            if (_held.TryGetValue(name, out SimulatedWorker? worker) && !worker.IsDead)
            {
                Quarantined.Add(answer.Reason!);
                worker.Die();
                worker.NoteDeath();
                Lose(name, "contradicts itself");
            }
        }
    }

    /// <summary>The job has had a place before, and gets another one.</summary>
    private void BeginAgain()
    {
        JobPosition position = Machine.Generation > 0 ? Machine.Reached.Position : _start;
        cluster.RestoreFrom(Machine.Generation + 1, position.Step);
        Assignment next = AssignTo(1 + random.Below(_asked), Machine.Generation + 1, position.Step);
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
        return new Assignment("job", "", generation, step, assigned, cluster.Place(), AssignmentStart.GoOn);
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
        var worker = new SimulatedWorker(cluster, $"node-{cluster.Devices.Count}/0");
        cluster.Devices.Add(worker.Name, worker);
        _free.Enqueue(worker);
        return worker;
    }

    private void Kill(string name)
    {
        SimulatedWorker worker = _held[name];
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
        Count(Machine.MissingWorkers > missing ? phase : null);
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
        OfferStandbys();

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

        if (Alive.Count == 0 && _free.Count == 0)
        {
            Offer();
        }

        if (Machine.MissingWorkers > 0 && this == cluster.Grain && !_isSeeking && _free.TryDequeue(out SimulatedWorker? free))
        {
            _isSeeking = true;
            cluster.Network.After(1 + random.Below(20 * cluster.Layout.Faults.LongestDelay), () => Join(free));
        }

        cluster.Network.After(TickPeriod, Tick);
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
        Count(isTaken ? "Joined" : null);
        Count(isTaken ? $"Joined while {phase}" : null);
        if (!isTaken)
        {
            _held.Remove(worker.Name);
            worker.Release(new MessageHeader("job", 0, 0));
        }
    }

    private void Take(Action tell)
    {
        if (IsLost)
        {
            return;
        }

        tell();
        CarryOut();
    }

    private Answer Take(Func<Answer> tell)
    {
        bool hadEnded = Machine.HasEnded;
        Answer answer = tell();
        cluster.Invariants.Answered(hadEnded, answer);
        CarryOut();
        return answer;
    }
}
