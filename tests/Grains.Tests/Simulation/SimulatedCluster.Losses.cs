using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How servers begin anew with the state of a checkpoint, and another grain leads the job.</summary>
internal sealed partial class SimulatedCluster
{
    private bool _haveServersBeenLost;
    private long _place;
    private long _lostPlace;
    private double _lastFault;

    /// <summary>The servers of a generation's place are gone, and their state with them.</summary>
    public bool AreServersLost(Assignment assignment) => PlaceOf(assignment) <= _lostPlace;

    /// <summary>The job has ended without a place, after it had given up servers with what they had not saved: those that are left know more than it does.</summary>
    private bool HasLostServers => Machine.HasEnded && Machine.Assignment is null
        && (_haveServersBeenLost || _haveSilosBeenLost || EventsOf<RunEvent.Yielded>().Any(HasGoneBack));

    /// <summary>With what a place begins where the job goes on at this step.</summary>
    public FakeState CheckpointAt(long step) => Checkpoints.LastOrDefault(checkpoint => checkpoint.Position.Step == step) ?? _start;

    /// <summary>The job has saved something there: its servers are given that part by part.</summary>
    public bool HasCheckpointAt(long step) => !ReferenceEquals(CheckpointAt(step), _start);

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
            CommittedStep = first.FirstStep;
            _outcomes.RemoveAll(outcome => outcome.Decision.Step >= first.FirstStep);
            _hosts.Clear();
        }
    }

    public void LoseServers(Assignment assignment)
    {
        _lostPlace = PlaceOf(assignment);
        _haveServersBeenLost = true;
    }

    /// <summary>Others answer in their place that know nothing.</summary>
    public void ForgetServers(Assignment assignment)
    {
        if (PlaceOf(assignment) == _place)
        {
            foreach (SimulatedServer server in _servers.Values)
            {
                server.Forget();
            }

            EndServers(assignment.Generation);
        }
    }

    /// <summary>Something goes wrong.</summary>
    public void NoteFault(string fault)
    {
        _lastFault = Network.Seconds;
        Counts.Add($"fault: {fault}");
        Network.Tell(() => fault);
    }

    /// <summary>The servers say nothing more.</summary>
    /// <param name="generation">The last one of their place: in a later place they are others.</param>
    public void EndServers(long generation)
    {
        if (generation >= _place)
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

    private static bool HasGoneBack(RunEvent.Yielded yielded) =>
        yielded.Reason.Contains("; the job goes back to ", StringComparison.Ordinal) || yielded.Reason.EndsWith(", while the job was starting.", StringComparison.Ordinal);

    /// <summary>Each place goes by the number of its first generation.</summary>
    private long PlaceOf(Assignment assignment) => assignment.Start == AssignmentStart.GoOn ? _place : assignment.Generation;
}
