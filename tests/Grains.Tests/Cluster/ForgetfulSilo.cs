using ConvNet.Grains.Servers;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>A silo whose servers ask after half a second of silence whether their job still needs them.</summary>
public sealed class ForgetfulSilo() : ClusterFixture(1, servers: new ServerDeadlines { Silence = TimeSpan.FromSeconds(0.5) });
