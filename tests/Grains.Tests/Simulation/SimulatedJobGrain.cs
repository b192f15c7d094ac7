using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Jobs;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>The job grain's part in a change of workers: it starts a new generation whenever one joins, dies or is expelled.</summary>
internal sealed class SimulatedJobGrain(
    SimulatedCluster cluster, CoordinatorMachine coordinator, BatchNormMachine batchNorm, Life server, SplitMix random)
{
    private readonly List<(string Name, int Incarnation)> _alive = [];
    private readonly List<Life> _lives = [];
    private Assignment? _current;
    private int _born;
    private bool _isChanging;
    private bool _mustChangeAgain;

    public long Generation { get; private set; }

    public int Alive => _alive.Count;

    /// <summary>The first step of each generation that has begun.</summary>
    public List<long> FirstSteps { get; } = [];

    /// <summary>Reasons for which a worker was expelled.</summary>
    public List<string> Quarantined { get; } = [];

    public MessageHeader HeaderOf(long step) => _current!.HeaderOf(step);

    /// <summary>Adds a worker to the next generation.</summary>
    public void Join() => _alive.Add(($"node-{_born}/0", ++_born));

    public void JoinLater()
    {
        if (_alive.Count < cluster.Job.Shape.Shards && coordinator.Position.Step < cluster.UntilStep)
        {
            Join();
            Change();
        }
    }

    /// <summary>Ends some worker, unless it is the last one.</summary>
    public void Kill()
    {
        if (_alive.Count > 1)
        {
            Remove(_alive[random.Below(_alive.Count)].Name);
        }
    }

    /// <summary>Ends the worker with this index in the current assignment.</summary>
    public void Kill(int worker) => Remove(_current!.Workers[worker].Name);

    public void EndWorkers() => _lives.ForEach(life => life.End());

    public void QuarantineOnConflict(Answer answer, MessageHeader header)
    {
        if (answer.Verdict == Verdict.Conflict && header.Generation == _current?.Generation)
        {
            string name = _current.Workers[header.Worker].Name;
            if (_alive.Any(worker => worker.Name == name))
            {
                Quarantined.Add(answer.Reason!);
                Remove(name);
            }
        }
    }

    /// <summary>Starts a generation of the workers that are alive, after the change that is under way.</summary>
    public void Change()
    {
        _mustChangeAgain = _isChanging;
        if (!_isChanging)
        {
            _isChanging = true;
            cluster.Watch(ChangeAsync());
        }
    }

    private void Remove(string name)
    {
        int index = _current is null ? -1 : _current.Workers.Select(worker => worker.Name).ToList().IndexOf(name);
        if (index >= 0 && index < _lives.Count)
        {
            _lives[index].End();
        }

        _alive.RemoveAll(worker => worker.Name == name);
        if (_alive.Count == 0)
        {
            // The last one was expelled: the job goes on with somebody else.
            Join();
        }

        Change();
    }

    /// <summary>Freezes all servers, chooses the first step from where they stand, begins everywhere and starts the workers.</summary>
    private async Task ChangeAsync()
    {
        var header = new MessageHeader("job", ++Generation, 0);
        Task<FrozenAt> decided = FreezeAsync(cluster.Partitions.Length + 1, () => coordinator.Freeze(header));
        List<Task<FrozenAt>> servers = [FreezeAsync(cluster.Partitions.Length, () => batchNorm.Freeze(header))];
        servers.AddRange(cluster.Partitions.Select((partition, server) => FreezeAsync(server, () => partition.Freeze(header))));
        (long? step, string? reason) = FirstStep.Choose(await decided.ConfigureAwait(false), await Task.WhenAll(servers).ConfigureAwait(false));
        if (step is not { } first)
        {
            cluster.Complain($"generation {Generation}: {reason}");
            return;
        }

        EndWorkers();
        _lives.Clear();
        FirstSteps.Add(first);
        ShardRange[] ranges = ShardAssignment.Assign(cluster.Job.Shape.Shards, [.. _alive.Select(_ => 1.0 + random.Below(3))]);
        var assignment = new Assignment(
            "job",
            "",
            Generation,
            first,
            [.. _alive.Zip(ranges, (worker, range) => new AssignedWorker(worker.Name, worker.Incarnation, range, 1))],
            new ServerKeys([], "", "", ""),
            AssignmentStart.GoOn);
        _current = assignment;
        Begin(assignment);
        for (int worker = 0; worker < assignment.Workers.Length; worker++)
        {
            var life = new Life();
            _lives.Add(life);
            cluster.Watch(new FakeWorker(cluster, assignment, worker, life).RunAsync(first));
        }

        _isChanging = false;
        if (_mustChangeAgain)
        {
            Change();
        }
    }

    private Task<FrozenAt> FreezeAsync(int index, Func<FrozenAt> freeze)
    {
        var message = new SimulatedEvent.Frozen(index, Generation);
        return cluster.Network.CallAsync(
            server,
            () =>
            {
                FrozenAt frozen = freeze();
                cluster.Script.Happens(message);
                return frozen;
            },
            _ => true,
            message);
    }

    private void Begin(Assignment assignment)
    {
        int servers = cluster.Partitions.Length;
        cluster.Watch(BeginAsync(servers + 1, assignment, () =>
        {
            CoordinatorAnswer begun = coordinator.Begin(assignment);
            cluster.Announce(begun);
            return begun.Answer;
        }));
        for (int partition = 0; partition < servers; partition++)
        {
            PartitionMachine machine = cluster.Partitions[partition];
            cluster.Watch(BeginAsync(partition, assignment, () => machine.Begin(assignment)));
        }

        cluster.Watch(BeginAsync(servers, assignment, () => batchNorm.Begin(assignment)));
    }

    private async Task BeginAsync(int index, Assignment assignment, Func<Answer> begin)
    {
        var message = new SimulatedEvent.Begun(index, assignment.Generation);
        Answer begun = await cluster.Network.CallAsync(
            server,
            () =>
            {
                Answer answer = begin();
                cluster.Script.Happens(message);
                return answer;
            },
            SimulatedCluster.IsFinal,
            message).ConfigureAwait(false);
        if (begun.Verdict == Verdict.Rejected)
        {
            cluster.Complain($"begin: {begun.Reason}");
        }
    }
}
