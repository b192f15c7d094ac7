using System.Net;

namespace ConvNet.Grains.Placement;

/// <summary>Where the membership of the cluster lives.</summary>
/// <param name="Primary">Silo endpoint of the primary, or null in a cluster inside one process.</param>
public sealed record ClusterHead(IPEndPoint? Primary);
