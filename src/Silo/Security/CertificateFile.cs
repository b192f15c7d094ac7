using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace ConvNet.Silo.Security;

/// <summary>One certificate, as people want to know it.</summary>
/// <param name="Path">From the folder of the certificates.</param>
/// <param name="Role">"CA", "silo", "client" or "none".</param>
/// <param name="Addresses">Where its holder may be; none: anywhere.</param>
public sealed record CertificateFile(string Path, string Name, string Role, IReadOnlyList<IPAddress> Addresses, DateTimeOffset Expires)
{
    /// <summary>How long before the end it is time for another.</summary>
    private static readonly TimeSpan Near = TimeSpan.FromDays(30);

    /// <summary>A sentence about an end that is near or past, or null.</summary>
    public string? Warn(TimeProvider clock)
    {
        TimeSpan left = Expires - clock.GetUtcNow();
        return left > Near ? null
            : left <= TimeSpan.Zero ? $"{Path} ('{Name}') expired on {Expires:yyyy-MM-dd}: nobody lets it in any more; issue another."
            : $"{Path} ('{Name}') expires on {Expires:yyyy-MM-dd}, in {Math.Ceiling(left.TotalDays):F0} day(s); issue another before.";
    }

    internal static CertificateFile Of(string path, X509Certificate2 certificate) => new(
        path,
        NameOf(certificate),
        IsAuthority(certificate) ? "CA" : RoleOf(certificate)?.InWords() ?? "none",
        AddressesOf(certificate),
        certificate.NotAfter.ToUniversalTime());

    internal static string NameOf(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    internal static PeerRole? RoleOf(X509Certificate2 certificate) =>
        Enum.GetValues<PeerRole>().Cast<PeerRole?>().FirstOrDefault(role => certificate.MatchesHostname(role!.Value.DnsName(), false, false));

    internal static IPAddress[] AddressesOf(X509Certificate2 certificate) =>
        [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateIPAddresses())];

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority);
}
