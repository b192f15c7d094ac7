using System.Net;

namespace ConvNet.Grains.Placement;

/// <summary>Where the grains live that the cluster has one of.</summary>
/// <param name="Primary">Silo endpoint of the silo that holds the membership, or null if there is none.</param>
/// <param name="Directory">
/// Name of the grain directory, outside the silos, that knows which server silo holds them; or null if that follows from the silos.
/// </param>
public sealed record ClusterHead(IPEndPoint? Primary, string? Directory = null);
