using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.BatchNorm;
using ConvNet.Grains.Protocol.Partition;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How servers begin in a place of the job with the state of a checkpoint, hold it from generation to generation, and forget it at their release.</summary>
internal sealed partial class SimulatedCluster
{
    /// <summary>Of the error of a server that is to go on with what it does not have.</summary>
    public const string NoState = "holds no state";

    private readonly Dictionary<int, long> _restored = [];
    private readonly HashSet<int> _stateful = [];
    private long _place;

    /// <summary>The job begins in another place, with machines that know nothing but the state of a checkpoint.</summary>
    public void TakePlace(Assignment first)
    {
        if (CheckpointAt(first.FirstStep).Position.Step != first.FirstStep)
        {
            Complain($"the job goes on at step {first.FirstStep}, but there is no checkpoint of it");
        }

        if (first.Generation > _place)
        {
            _place = first.Generation;
            foreach (int server in Enumerable.Range(0, _servers.Length))
            {
                _servers[server] = new Life(Network.NewHost());
            }
        }
    }

    public FrozenAt Freeze(int server, MessageHeader header)
    {
        FrozenAt frozen = server == CoordinatorServer ? Coordinator.Freeze(header)
            : server == BatchNormServer ? _batchNorm.Freeze(header)
            : Partitions[server].Freeze(header);
        Invariants.Promised(server, header.Generation, frozen);
        if (frozen.Answer.Verdict == Verdict.Accepted && !_stateful.Contains(server))
        {
            frozen = FrozenAt.Not(new Answer(Verdict.Rejected, $"server {server} {NoState}."));
        }

        Counts.Add($"freeze of {RoleOf(server)}", frozen.Answer);
        return frozen;
    }

    public Answer Begin(int server, Assignment assignment)
    {
        Answer answer = assignment.Start == AssignmentStart.GoOn ? GoOn(server, assignment) : BeginPlace(server, assignment);
        Counts.Add($"start of {RoleOf(server)}", answer);
        Invariants.Begun(server, assignment, answer);
        return answer;
    }

    private Answer BeginPlace(int server, Assignment assignment)
    {
        if (assignment.Generation < Invariants.PromiseOf(server))
        {
            return Verdict.Stale;
        }

        if (assignment.Generation == _restored.GetValueOrDefault(server))
        {
            return Verdict.Duplicate;
        }

        _restored[server] = assignment.Generation;
        _stateful.Add(server);
        RestoreServer(server, assignment);
        return GoOn(server, assignment);
    }

    private Answer GoOn(int server, Assignment assignment)
    {
        if (!_stateful.Contains(server) && assignment.Generation >= Invariants.PromiseOf(server))
        {
            return new Answer(Verdict.Rejected, $"server {server} {NoState}.");
        }

        return server == CoordinatorServer ? Coordinator.Begin(assignment)
            : server == BatchNormServer ? _batchNorm.Begin(assignment)
            : Partitions[server].Begin(assignment);
    }

    /// <summary>A server forgets the job: what still comes is of a generation that is over.</summary>
    public Answer Release(int server, MessageHeader header)
    {
        if (header.Generation >= Invariants.PromiseOf(server))
        {
            Freeze(server, header with { Generation = header.Generation + 1 });
            _stateful.Remove(server);
            _releasedAt[server] = VersionOf(server);
        }

        return Verdict.Accepted;
    }

    /// <summary>Each place goes by the number of its first generation.</summary>
    private long PlaceOf(Assignment assignment) => assignment.Start == AssignmentStart.GoOn ? _place : assignment.Generation;

    private void RestoreServer(int server, Assignment assignment)
    {
        FakeState checkpoint = CheckpointAt(assignment.FirstStep);
        FakeState state = assignment.Start == AssignmentStart.Restore ? checkpoint.Empty() : checkpoint;
        if (server == CoordinatorServer)
        {
            _coordinator = CoordinatorOf(checkpoint);
            Coordinator = Coordinator.RestartWith(_coordinator, _servers[server]);
        }
        else if (server == BatchNormServer)
        {
            _batchNorm = BatchNormOf(state, checkpoint);
        }
        else
        {
            Partitions[server] = PartitionOf(state, server);
        }
    }

    private PartitionMachine PartitionOf(FakeState state, int partition) => state.Load(new PartitionPlan(Model.Layout, partition, Layout.Partitions), Job);

    private BatchNormMachine BatchNormOf(FakeState state, FakeState checkpoint) =>
        new(Job.Shape, Job.BatchNorm, Job.Average, state.Statistics, checkpoint.Position.Step, checkpoint.BatchesSeen);

    private CoordinatorMachine CoordinatorOf(FakeState checkpoint) => new(
        Job.Shape, Model.Layout, Job.Optimizer, Job.Schedule, Job.MaxGradientNorm, Layout.Partitions, hasBatchNorm: true, checkpoint.Position);
}
