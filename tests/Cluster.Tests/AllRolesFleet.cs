namespace ConvNet.Cluster.Tests;

/// <summary>A cluster for faults: a Redis that keeps its data, and three silos of which each has a worker, servers and standbys.</summary>
public class AllRolesFleet : FaultFleet
{
    protected override string[] Names => Workers;

    protected override string RolesOf(string silo) => "server,worker";
}
