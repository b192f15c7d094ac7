using ConvNet.Grains.Jobs;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A silo whose jobs wait for their clients for 2 seconds only.</summary>
public sealed class ImpatientSilo() : ClusterFixture(1, new JobDeadlines { Client = TimeSpan.FromSeconds(2) });
