using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ConvNet.Silo.Security;

/// <summary>Who may come in: whom our CA has signed, in time, for a role that the port takes.</summary>
internal static class PeerCheck
{
    private const X509ChainStatusFlags NotOurs = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
        | X509ChainStatusFlags.NotSignatureValid | X509ChainStatusFlags.ExplicitDistrust;

    /// <param name="chain">As it was built for the certificate with <see cref="PeerIdentity.ChainPolicy"/>.</param>
    /// <param name="place">Where a silo was found that we have called; null for a peer that called us, which may have any address.</param>
    /// <returns>Null for a peer that may come in; else why not, as half a sentence.</returns>
    public static string? Refuse(
        X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, IReadOnlyList<PeerRole> roles, IPAddress? place, DateTimeOffset now)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return "it shows no certificate";
        }

        string name = CertificateFile.NameOf(certificate);
        X509ChainStatusFlags[] faults = [.. chain?.ChainStatus.Select(status => status.Status) ?? []];
        if (Array.Exists(faults, fault => (fault & NotOurs) != 0))
        {
            return $"the certificate '{name}' is not of this cluster's CA";
        }

        if (now > certificate.NotAfter)
        {
            return $"the certificate '{name}' expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            return $"the certificate '{name}' is not valid ({string.Join(", ", faults)})";
        }

        PeerRole? role = CertificateFile.RoleOf(certificate);
        if (role is null || !roles.Contains(role.Value))
        {
            return $"the certificate '{name}' is {(role is null ? "for no role" : $"of a {role.Value.InWords()}")}, not of a " +
                string.Join(" or ", roles.Select(PeerRoles.InWords));
        }

        IPAddress[] places = CertificateFile.AddressesOf(certificate);
        return place is null || places.Length == 0 || places.Contains(place)
            ? null
            : $"the certificate '{name}' is for {string.Join<IPAddress>(", ", places)}, not for {place}";
    }
}
