namespace ConvNet.Silo.Security;

/// <summary>What a silo allows its peers, before it knows them and all of them together.</summary>
/// <param name="ProofTime">How long a peer may take until it has proved who it is.</param>
/// <param name="Connections">Open ones of each port.</param>
/// <param name="Unproven">Connections of each port whose peer has not proved yet who it is; beyond, the oldest goes.</param>
/// <param name="PendingBytes">Of messages that have begun and not ended, over all connections of the silo; beyond, the oldest goes.</param>
/// <param name="MessageTime">How long a message may take that has begun.</param>
internal sealed record WireLimits(TimeSpan ProofTime, int Connections, int Unproven, long PendingBytes, TimeSpan MessageTime)
{
    public static readonly WireLimits Default = new(TimeSpan.FromSeconds(10), 4096, 256, 128L << 20, TimeSpan.FromSeconds(30));
}
