using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>Draws the moments at which a layout's faults and orders happen.</summary>
internal sealed class FaultPlan(SimulatedCluster cluster, SplitMix random)
{
    private static readonly JobOrderKind[] Harmless = [JobOrderKind.Save, JobOrderKind.Evaluate, JobOrderKind.StopAfter];

    private readonly Layout _layout = cluster.Layout;

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
        Repeat(_layout.ServerLosses, () => cluster.Grain.LoseServers());
        Repeat(_layout.SiloDeaths - 1, cluster.KillSilo);
        Repeat(_layout.SiloSuspicions, cluster.SuspectSilo);
        Repeat(_layout.HeadCrashes, () => cluster.Grain.Crash());
        Repeat(_layout.HeadCutOffs, () => cluster.Grain.CutOff());
        Repeat(_layout.StoreOutages, StopStore);
    }

    private void StopStore()
    {
        cluster.Store.IsDown = true;
        cluster.Network.After(1 + random.Below(60 * _layout.Faults.LongestDelay), () => cluster.Store.IsDown = false);
    }

    private void GiveTwice(string id, JobOrderKind kind)
    {
        var order = new JobOrder(id, kind, 1 + random.Below((int)cluster.Job.Shape.TotalSteps));
        Repeat(2, () => cluster.Grain.Order(order));
    }

    private void Repeat(int times, Action action)
    {
        for (int i = 0; i < times; i++)
        {
            cluster.Network.After(random.Below(150 * _layout.Faults.LongestDelay), action);
        }
    }
}
