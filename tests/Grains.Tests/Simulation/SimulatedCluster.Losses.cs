namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How servers begin anew with the state of a checkpoint, and another grain leads the job.</summary>
internal sealed partial class SimulatedCluster
{
    /// <summary>The job has ended without a place, after it had lost its servers: those that are left know more than it does.</summary>
    private bool HasLostServers => Machine.HasEnded && Machine.Assignment is null && (Layout.ServerLosses > 0 || Layout.LosesSilos);

    /// <summary>Another grain leads the job from now on, as soon as somebody calls it.</summary>
    public void FollowHead(int delay) => Network.After(1 + delay, () =>
    {
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
        if (_restores.Position.Step != step)
        {
            Complain($"the job goes on at step {step}, but there is no checkpoint of it");
        }
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
}
