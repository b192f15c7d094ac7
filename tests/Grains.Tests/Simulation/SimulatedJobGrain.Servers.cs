using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How the simulated job grain notices that servers are lost, and finds silos for standbys.</summary>
internal sealed partial class SimulatedJobGrain
{
    public Answer Protected(MessageHeader header, int server) => IsLost ? Verdict.Future : Take(() => Machine.Protected(header, server));

    /// <summary>The silo of a server is lost, and the state with it.</summary>
    public void LoseServers()
    {
        if (!Machine.HasEnded && Machine.Assignment is { } assignment && !IsLost)
        {
            Count($"went back while {Phase()}");
            cluster.EndServers(assignment.Generation);
            cluster.AreServersLost = true;
            NoticeLostServers();
        }
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
            Take(() => Machine.OfferStandbys(cluster.WithStandbys(Machine.Servers!)));
        }
    }

    private void NoticeLostServers()
    {
        if (cluster.AreServersLost && Machine.Assignment is not null)
        {
            Take(() => Machine.LoseServers("a server's silo was lost"));
        }
    }
}
