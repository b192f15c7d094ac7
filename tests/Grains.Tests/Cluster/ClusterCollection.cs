using Xunit;

namespace ConvNet.Grains.Tests.Cluster;

/// <summary>Both clusters, shared by all classes that need one; such classes run one after the other.</summary>
[CollectionDefinition(nameof(ClusterCollection))]
public sealed class ClusterCollection : ICollectionFixture<OneSilo>, ICollectionFixture<TwoSilos>;
