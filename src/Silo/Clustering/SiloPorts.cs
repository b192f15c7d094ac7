using System.Net;

namespace ConvNet.Silo.Clustering;

/// <summary>Where a silo listens, and where others find it.</summary>
/// <param name="Listen">0.0.0.0 for all addresses of the machine.</param>
/// <param name="Advertise">What silos and clients are told.</param>
/// <param name="Silos">Port for other silos.</param>
/// <param name="Clients">Port for clients, the gateway.</param>
public sealed record SiloPorts(IPAddress Listen, IPAddress Advertise, int Silos, int Clients);
