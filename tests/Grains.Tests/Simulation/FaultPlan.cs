using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Draws the moments at which a layout's faults and orders happen.</summary>
internal sealed class FaultPlan(SimulatedCluster cluster, SplitMix random)
{
    private const int TickPeriod = 250;

    private static readonly JobOrderKind[] Harmless = [JobOrderKind.Save, JobOrderKind.Evaluate, JobOrderKind.StopAfter];

    private readonly Layout _layout = cluster.Layout;

    private int Delay => _layout.Faults.LongestDelay;

    /// <summary>Whoever has not answered for so long is taken for lost.</summary>
    private int Patience => 20 * Delay;

    public void Schedule()
    {
        Repeat(_layout.Joins, () => cluster.Grain.Offer());
        Repeat(_layout.Suspicions, () => cluster.Grain.Suspect());
        for (int i = 0; i < _layout.Orders; i++)
        {
            GiveTwice($"order {i}", Harmless[random.Below(Harmless.Length)]);
        }

        for (int i = 0; i < _layout.Pauses; i++)
        {
            GiveTwice($"pause {i}", JobOrderKind.Pause);
        }

        if (_layout.End is { } end)
        {
            GiveTwice("end", end);
        }

        Repeat(_layout.LosesClient ? 1 : 0, () => cluster.Grain.LoseClient());
        Repeat(_layout.Withdrawals, () => cluster.Grain.Withdraw());
        Repeat(_layout.Vacates, () => cluster.Grain.Vacate());
        Repeat(_layout.EndsSaved ? 2 : 0, () => cluster.Grain.EndSaved());
        Repeat(_layout.Slowdowns, () => cluster.Grain.SlowDown());
        Repeat(_layout.SiloDeaths - 1, cluster.KillSilo);
        Repeat(_layout.SiloSuspicions, cluster.SuspectSilo);
        Repeat(_layout.ServerLosses, () => cluster.Grain.LoseServers());
        Repeat(_layout.HeadCrashes, () => cluster.Grain.Crash());
        Repeat(_layout.HeadCutOffs, () => cluster.Grain.CutOff());
        Repeat(_layout.StoreOutages, StopStore);
        Repeat(_layout.LostWrites, LoseWrite);
        Repeat(_layout.Freezes, Freeze);
        Repeat(_layout.Cuts, Cut);
    }

    private void StopStore()
    {
        Note("the store does not answer");
        cluster.Store.IsDown = true;
        cluster.Network.After(Duration(), () => cluster.Store.IsDown = false);
    }

    /// <summary>It dies right after it has told that something is kept.</summary>
    private void LoseWrite()
    {
        if (cluster.Store.LoseLastWrite())
        {
            Note("the store loses its last write");
            StopStore();
        }
    }

    /// <summary>Some process does nothing for a time.</summary>
    private void Freeze()
    {
        int ticks = Duration();
        switch (random.Below(8))
        {
            case < 2:
                FreezeHead(ticks);
                break;
            case < 4:
                FreezeWorker(ticks);
                break;
            case < 6:
                FreezeServer(random.Below(cluster.CoordinatorServer + 1), ticks);
                break;
            case 6:
                Note("the store answers late");
                Freeze(cluster.Store.Host, ticks);
                break;
            default:
                Note("the client is frozen");
                Freeze(cluster.Grain.ClientHost, ticks);
                break;
        }
    }

    private void FreezeHead(int ticks)
    {
        SimulatedJobGrain head = cluster.Grain;
        if (head.IsLost)
        {
            return;
        }

        Note(ticks > Patience ? "the job grain is frozen for long" : "the job grain is frozen");
        Freeze(head.Host, ticks);
        if (ticks > Patience)
        {
            cluster.Network.After(Patience, () => Follow(head));
        }
    }

    private void Follow(SimulatedJobGrain head)
    {
        if (cluster.Grain == head)
        {
            cluster.FollowHead(0);
        }
    }

    private void FreezeWorker(int ticks)
    {
        SimulatedJobGrain head = cluster.Grain;
        if (head.Alive.Count == 0)
        {
            return;
        }

        SimulatedWorker worker = head.Alive[random.Below(head.Alive.Count)];
        Note(ticks > Patience ? "a worker is frozen for long" : "a worker is frozen");
        Freeze(worker.Host, ticks);
        if (ticks > Patience)
        {
            bool dies = random.Chance(500);
            cluster.Network.After(Patience, () => cluster.Grain.LoseSilent(worker.Name));
            cluster.Network.After(ticks, () =>
            {
                if (dies)
                {
                    worker.Die();
                    worker.NoteDeath();
                }
            });
        }
    }

    private void FreezeServer(int server, int ticks)
    {
        if (cluster.Machine.Servers is not { } servers)
        {
            return;
        }

        string key = servers.StandbyOf(server) is { } standby && random.Chance(300) ? standby.Key : servers.KeyOf(server);
        Host host = cluster.HostOf(key);
        Note(ticks > Patience ? "a server is frozen for long" : "a server is frozen");
        Freeze(host, ticks);
        if (ticks > Patience)
        {
            cluster.Network.After(Patience, Notice);
        }

        void Notice()
        {
            if (host.IsFrozen && cluster.HostOf(key) == host && !Miss(key))
            {
                cluster.Network.After(TickPeriod, Notice);
            }
        }
    }

    private bool Miss(string key) => _layout.HasStandbys ? cluster.Grain.MissSilo(PinnedKey.SiloOf(key)) : cluster.Grain.MissServers();

    private void Freeze(Host host, int ticks)
    {
        host.Freeze();
        cluster.Network.After(ticks, host.Wake);
    }

    /// <summary>Half of the processes cannot reach the other half for a time.</summary>
    private void Cut()
    {
        int ticks = Duration();
        Note(ticks > Patience ? "the network is cut for long" : "the network is cut");
        cluster.Network.Cut(ticks);
        if (ticks > Patience)
        {
            cluster.Network.After(Patience, NoticeCut);
        }
    }

    private void NoticeCut()
    {
        SimulatedJobGrain head = cluster.Grain;
        if (cluster.Network.AreCutOff(head.Host, cluster.Store.Host) && random.Chance(500))
        {
            Note("the job grain is cut off");
            Follow(head);
        }

        foreach (SimulatedWorker worker in head.Alive.Where(worker => cluster.Network.AreCutOff(head.Host, worker.Host)).ToList())
        {
            Note("a worker is cut off");
            head.LoseSilent(worker.Name);
        }

        foreach (string key in (head.Machine.Servers?.All ?? []).Where(key => cluster.Network.AreCutOff(head.Host, cluster.HostOf(key))).ToList())
        {
            Note("a server is cut off");
            Miss(key);
        }
    }

    private void GiveTwice(string id, JobOrderKind kind)
    {
        var order = new JobOrder(id, kind, 1 + random.Below((int)cluster.Job.Shape.TotalSteps));
        Repeat(2, () => cluster.Grain.Order(order));
    }

    private int Duration() => 1 + random.Below(60 * Delay);

    private void Note(string fault) => cluster.NoteFault(fault);

    private void Repeat(int times, Action action)
    {
        for (int i = 0; i < times; i++)
        {
            cluster.Network.After(random.Below(150 * Delay), action);
        }
    }
}
