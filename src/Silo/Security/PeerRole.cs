namespace ConvNet.Silo.Security;

/// <summary>What the holder of a certificate may be in a cluster.</summary>
public enum PeerRole
{
    Silo,
    Client,

    /// <summary>The Redis of the cluster, which no silo lets in.</summary>
    Redis,
}
