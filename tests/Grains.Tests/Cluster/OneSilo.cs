namespace ConvNet.Grains.Tests.Cluster;

public sealed class OneSilo() : ClusterFixture(1);
