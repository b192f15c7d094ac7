using System.Net;

namespace ConvNet.Grains.Placement;

/// <summary>Where the grains live that the cluster has one of.</summary>
/// <param name="Primary">Silo endpoint of the silo that holds the membership, or null if there is none.</param>
/// <param name="IsInDirectory">Any server silo may hold them, and a grain directory outside the silos knows which one does.</param>
public sealed record ClusterHead(IPEndPoint? Primary, bool IsInDirectory = false);
