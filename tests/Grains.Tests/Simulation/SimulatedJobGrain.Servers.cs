using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the simulated job grain notices that servers are lost, and finds silos for standbys.</summary>
internal sealed partial class SimulatedJobGrain
{
    public Answer Protected(MessageHeader header, int server) => IsLost ? Verdict.Future : Take("readiness of a standby", () => Machine.Protected(header, server));

    /// <summary>A silo does not answer any more: what is there works on.</summary>
    /// <returns>False if the job has no servers now, or this grain cannot notice it.</returns>
    public bool MissSilo(string silo)
    {
        if (Machine.HasEnded || Machine.Assignment is null || IsLost || Host.IsFrozen)
        {
            return Machine.HasEnded;
        }

        cluster.SuspectSilo(silo);
        return true;
    }

    /// <summary>Everybody knows that silos are gone that had servers of the job.</summary>
    public void NoticeLostSilos()
    {
        foreach (string silo in cluster.LostSilos.Where(silo => Machine.Servers?.All.Any(key => PinnedKey.SiloOf(key) == silo) == true).ToList())
        {
            if (!IsLost)
            {
                Count($"lost a silo while {Phase()}, {(Machine.IsProtected ? "protected" : "not protected")}");
                Take(() => Machine.LoseSilo(silo, "has left the cluster", Now));
            }
        }

        OfferStandbys();
    }

    private void OfferStandbys()
    {
        if (Machine.WantsStandbys && cluster.Layout.Silos > 1)
        {
            // A frozen grain does it when it wakes up, and may have no servers by then.
            Take(() =>
            {
                if (Machine.Servers is { } servers)
                {
                    Machine.OfferStandbys(cluster.WithStandbys(servers));
                }
            });
        }
    }
}
