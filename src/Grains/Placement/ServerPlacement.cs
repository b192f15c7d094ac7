namespace ConvNet.Grains.Placement;

/// <summary>
/// Places a grain that the cluster has one of on a silo that can hold servers of jobs: a job cannot live without those anyway. The grain
/// directory, which must be outside the silos, remembers on which one.
/// </summary>
[GenerateSerializer, Immutable, Alias("ConvNet.ServerPlacement")]
public sealed class ServerPlacement : PlacementStrategy;
