using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ConvNet.Silo.Security;

/// <summary>
/// What happens to one connection while its peer has to prove who he is. It flows with the connection's own tasks, as the check of a certificate
/// is told of the certificate alone.
/// </summary>
/// <param name="place">Where we have called a silo; null for a peer that called us.</param>
internal sealed class PeerTrial(IPAddress? place)
{
    private static readonly AsyncLocal<PeerTrial?> Flowing = new();

    public static PeerTrial? Current
    {
        get => Flowing.Value;
        set => Flowing.Value = value;
    }

    /// <summary>Why the peer may not come in, as half a sentence; null so far.</summary>
    public string? Refusal { get; private set; }

    public bool Accepts(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors, IReadOnlyList<PeerRole> roles)
    {
        Refusal = PeerCheck.Refuse(certificate, chain, errors, roles, place, DateTimeOffset.UtcNow);
        return Refusal is null;
    }
}
