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

    public void EndWorkers() => _lives.ForEach(life => life.End());

    public void QuarantineOnConflict(Answer answer, MessageHeader header)
    {
        if (answer.Verdict == Verdict.Conflict && header.Generation == coordinator.Generation)
        {
            string name = _current!.Workers[header.Worker].Name;
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

    /// <summary>Stops deciding, asks for versions, begins everywhere and starts the workers.</summary>
    private async Task ChangeAsync()
    {
        coordinator.Pause();
        var versions = new List<Task<long>> { cluster.Network.CallAsync(server, () => batchNorm.Version, _ => true) };
        versions.AddRange(cluster.Partitions.Select(partition => cluster.Network.CallAsync(server, () => partition.Version, _ => true)));
        long? firstStep = coordinator.FirstStepOf(await Task.WhenAll(versions).ConfigureAwait(false));
        if (firstStep is not { } first)
        {
            string found = string.Join(", ", versions.Select(version => version.Result));
            cluster.Complain($"versions {found} cannot go on from {coordinator.Position.Step}");
            return;
        }

        EndWorkers();
        _lives.Clear();
        ShardRange[] ranges = ShardAssignment.Assign(cluster.Job.Shape.Shards, [.. _alive.Select(_ => 1.0 + random.Below(3))]);
        var assignment = new Assignment(
            "job",
            "",
            ++Generation,
            first,
            [.. _alive.Zip(ranges, (worker, range) => new AssignedWorker(worker.Name, worker.Incarnation, range, 1))],
            new ServerKeys([], "", "", ""));
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

    private void Begin(Assignment assignment)
    {
        CoordinatorAnswer begun = coordinator.Begin(assignment);
        Expect(begun.Answer);
        cluster.Announce(begun);
        foreach (PartitionMachine partition in cluster.Partitions)
        {
            cluster.Watch(BeginAsync(() => partition.Begin(assignment)));
        }

        cluster.Watch(BeginAsync(() => batchNorm.Begin(assignment)));
    }

    private async Task BeginAsync(Func<Answer> begin) =>
        Expect(await cluster.Network.CallAsync(server, begin, SimulatedCluster.IsFinal).ConfigureAwait(false));

    private void Expect(Answer answer)
    {
        if (answer.Verdict == Verdict.Rejected)
        {
            cluster.Complain($"begin: {answer.Reason}");
        }
    }
}
