namespace ConvNet.Grains.Tests.Cluster;

public sealed class TwoSilos() : ClusterFixture(2);
