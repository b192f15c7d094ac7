using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>What goes wrong around the simulated job grain, as it notices it.</summary>
internal sealed partial class SimulatedJobGrain
{
    public void LoseClient() => TakeFault("the client is lost", () => Machine.LoseClient(10));

    private void TakeUp() => End(Machine.TakeUp, "an orphaned job is taken up");

    private void GiveUp() => End(() => Machine.GiveUp(60), "an orphaned job is given up");

    /// <summary>Somebody, or the time, ends that the job waits for a client.</summary>
    private void End(Action orphan, string change)
    {
        _isToResume = false;
        if (Machine.State == JobState.Orphaned && !IsLost)
        {
            // A frozen grain hears of it when it wakes up, and by then it may be too late.
            Take(() =>
            {
                if (Machine.State == JobState.Orphaned)
                {
                    Count(change);
                    orphan();
                }
            });
        }
    }

    /// <summary>The silo of a server is being stopped: standbys go on in the places of what is there, if they can.</summary>
    public void Vacate() => TakeFault("a server's silo is stopped", () =>
    {
        if (Machine.Servers is { } servers && !Machine.IsLeaving && PinnedKey.SiloOf(servers.Coordinator) is var silo && Machine.CanLose(silo))
        {
            Count("hands over to standbys");
            cluster.StopSilo(silo);
            Machine.HandOver(silo, cluster.WithStandbys(ServerRoles.Without(servers, silo)!));
        }
        else
        {
            Machine.Vacate("a server's silo was stopped");
        }
    });

    /// <summary>The silo of a server is lost, and the state with it.</summary>
    public void LoseServers()
    {
        if (Machine.Assignment is { } assignment && MissServers())
        {
            cluster.NoteFault("a server is lost");
            cluster.ForgetServers(assignment);
        }
    }

    /// <summary>A server does not answer any more: it works on until it is told that it is not needed.</summary>
    /// <returns>False if the job has no servers now, or this grain cannot notice it.</returns>
    public bool MissServers()
    {
        if (Machine.HasEnded || Machine.Assignment is null || IsLost || Host.IsFrozen)
        {
            return Machine.HasEnded;
        }

        Count($"went back while {Phase()}");
        cluster.LoseServers(Machine.Assignment);
        NoticeLostServers();
        return true;
    }

    /// <summary>A worker does not answer any more, and may work on.</summary>
    public void LoseSilent(string worker)
    {
        if (!Machine.HasEnded && Machine.Assignment is not null)
        {
            Lose(worker, "has not answered for 3.1 s");
        }
    }

    private void NoticeLostServers()
    {
        if (Machine.Assignment is { } assignment && cluster.AreServersLost(assignment))
        {
            Take(() => Machine.LoseServers("a server's silo was lost"));
        }
    }

    /// <summary>The silo of the job grain is being stopped.</summary>
    public void EndSaved() => TakeFault("the job's silo is stopped", () => Machine.EndSaved("the job's silo was stopped"));

    /// <summary>The silo of some worker is being stopped.</summary>
    public void Withdraw()
    {
        if (Machine.Assignment?.Workers is { Length: > 0 } workers)
        {
            string name = workers[random.Below(workers.Length)].Name;
            TakeFault("a worker's silo is stopped", () => Machine.Withdraw(name, "has left"));
        }
    }

    /// <summary>All workers are seen often enough for their paces to be known, and some worker is slow.</summary>
    public void SlowDown()
    {
        if (Machine.Assignment is not { } assignment)
        {
            return;
        }

        cluster.NoteFault("a worker is slow");
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
                Host.Do(() =>
                {
                    if (!IsLost)
                    {
                        Take("sight of a worker", () => Machine.WorkerSeen(assignment.HeaderOf(Machine.Step, index), status, Now));
                    }
                });
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
            cluster.NoteFault("a worker is taken for dead");
            Lose(workers[random.Below(workers.Length)].Name, "is silent");
        }
    }

    private void TakeFault(string fault, Action tell)
    {
        cluster.NoteFault(fault);
        Take(tell);
    }
}
