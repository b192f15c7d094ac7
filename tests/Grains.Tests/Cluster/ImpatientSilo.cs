using ConvNet.Grains.Jobs;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A silo whose jobs have leases of 2 seconds only.</summary>
public sealed class ImpatientSilo() : ClusterFixture(1, new JobDeadlines { Lease = TimeSpan.FromSeconds(2) });
