using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>A device of the simulated cluster, as the worker grain would host it: one generation after the other, and each order once.</summary>
/// <param name="name">Its key: no two devices of a cluster have the same.</param>
internal sealed class SimulatedWorker(SimulatedCluster cluster, string name, Host host)
{
    private Assignment? _assignment;
    private WorkerOrders? _orders;
    private FakeWorker? _session;
    private Life _life = new(host);

    public string Name => name;

    public Host Host => host;

    /// <summary>It neither sends nor hears.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Whoever calls it is told that it is gone.</summary>
    public bool IsKnownDead { get; private set; }

    /// <summary>Nothing is expected of it any more.</summary>
    public bool IsFree { get; private set; }

    /// <summary>It has never been part of a generation.</summary>
    public bool IsFresh => _assignment is null;

    /// <summary>From now on it only has an effect by what is on its way.</summary>
    public void Die()
    {
        IsDead = true;
        _life.End();
    }

    public void NoteDeath() => IsKnownDead = true;

    public Answer Prepare(Assignment assignment) => cluster.Counts.Add("start of a worker", PrepareNow(assignment));

    private Answer PrepareNow(Assignment assignment)
    {
        if (IsFree)
        {
            return new Answer(Verdict.Conflict, "it is not reserved for the job.");
        }

        if (assignment.Generation <= _assignment?.Generation)
        {
            return assignment.Generation == _assignment?.Generation ? Verdict.Duplicate : Verdict.Stale;
        }

        _life.End();
        _life = new Life(host);
        _assignment = assignment;
        _orders = new WorkerOrders(assignment, name);
        _session = new FakeWorker(cluster, assignment, Array.FindIndex(assignment.Workers, worker => worker.Name == name), _life);
        return Verdict.Accepted;
    }

    /// <param name="header">Its step is the first one.</param>
    public Answer Run(MessageHeader header, long order, long untilStep) =>
        CarryOut("order to train", header, order, session => session.Train(header.Step, untilStep));

    /// <param name="header">Its step is the version.</param>
    public Answer Evaluate(MessageHeader header, long order, int firstBlock, int endBlock) =>
        CarryOut("order to evaluate", header, order, session => session.Evaluate(header.Step, firstBlock, endBlock));

    public Answer Release(MessageHeader header)
    {
        if (header.Generation >= (_assignment?.Generation ?? 0))
        {
            IsFree = true;
            _life.End();
        }

        return Verdict.Accepted;
    }

    private Answer CarryOut(string what, MessageHeader header, long order, Action<FakeWorker> carryOut)
    {
        if (IsFree || _session is not { } session)
        {
            return cluster.Counts.Add(what, Verdict.Stale);
        }

        Answer answer = cluster.Counts.Add(what, _orders!.Take(header, order));
        if (answer.Verdict == Verdict.Accepted)
        {
            carryOut(session);
        }

        return answer;
    }
}
