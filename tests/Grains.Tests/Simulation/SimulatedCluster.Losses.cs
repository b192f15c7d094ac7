using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How servers begin anew with the state of a checkpoint, and another grain leads the job.</summary>
internal sealed partial class SimulatedCluster
{
    private bool _haveServersBeenLost;
    private double _lastFault;

    /// <summary>The servers of the job's place are gone, and their state with them.</summary>
    public bool AreServersLost { get; private set; }

    /// <summary>The job has ended without a place, after it had lost its servers: those that are left know more than it does.</summary>
    private bool HasLostServers => (_haveServersBeenLost || _haveSilosBeenLost) && Machine.HasEnded && Machine.Assignment is null;

    /// <summary>What the servers of the job's place begin with, all at once or part by part.</summary>
    public FakeState Restored => _restores;

    /// <summary>The job has saved something: its servers are given that part by part.</summary>
    public bool HasCheckpoint => !ReferenceEquals(_restores, _start);

    private FakeState BlankOrWhole => HasCheckpoint ? _restores.Empty() : _restores;

    /// <summary>Another grain leads the job from now on, as soon as somebody calls it.</summary>
    public void FollowHead(int delay) => Network.After(1 + delay, () =>
    {
        if (Store.IsDown || Store.Host.IsFrozen)
        {
            FollowHead(delay);
            return;
        }

        Grain = Grain.Follow();
        Grain.Recover();
    });

    /// <summary>From this generation on servers begin with the state of a checkpoint, in machines that know nothing else.</summary>
    /// <param name="step">At which the job goes on.</param>
    public void RestoreFrom(long generation, long step)
    {
        _restoresFrom = generation;
        AreServersLost = false;
        _restores = Checkpoints.LastOrDefault(checkpoint => checkpoint.Position.Step == step) ?? _start;
        CommittedStep = step;
        _outcomes.RemoveAll(outcome => outcome.Decision.Step >= step);
        _hosts.Clear();
        if (_restores.Position.Step != step)
        {
            Complain($"the job goes on at step {step}, but there is no checkpoint of it");
        }
    }

    public void LoseServers() => AreServersLost = _haveServersBeenLost = true;

    /// <summary>Something goes wrong.</summary>
    public void NoteFault(string fault)
    {
        _lastFault = Network.Seconds;
        Counts.Add($"fault: {fault}");
        Network.Tell(() => fault);
    }

    /// <summary>The generation is the first one in its place.</summary>
    public bool Restores(long generation) => generation == _restoresFrom;

    /// <summary>The servers say nothing more.</summary>
    /// <param name="generation">The last one of their place: in a later place they are others.</param>
    public void EndServers(long generation)
    {
        if (generation >= _restoresFrom)
        {
            foreach (SimulatedServer server in _servers.Values)
            {
                server.Life.End();
            }
        }
    }

    /// <summary>A worker that hears that it contradicts itself tells the job.</summary>
    public void ExpelOnConflict(Answer answer, MessageHeader header)
    {
        if (answer.Verdict == Verdict.Conflict && Machine.Assignment is { } assignment && assignment.Generation == header.Generation)
        {
            SimulatedWorker worker = Devices[assignment.Workers[header.Worker].Name];
            Watch(CallHeadAsync(new Life(worker.Host), grain => grain.Expel(header.Generation, worker.Name, answer.Reason!), isHeard => isHeard));
        }
    }
}
