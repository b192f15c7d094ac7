using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Security;

/// <summary>The CA of one cluster: only whom it has signed may come in. Keys are ECDSA on P-256.</summary>
public sealed class CertificateAuthority : IDisposable
{
    private const int LifetimeYears = 10;
    private const int LifetimeDaysOfPeer = 365;

    /// <summary>Clocks of machines differ: a certificate is valid a little before it was made.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    public string CertificatePem => _certificate.ExportCertificatePem();

    public string KeyPem
    {
        get
        {
            using ECDsa key = _certificate.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem();
        }
    }

    /// <summary>A new one, valid for ten years.</summary>
    public static CertificateAuthority Create(TimeProvider clock)
    {
        using ECDsa key = NewKey();
        CertificateRequest request = Request($"ConvNet cluster CA {RandomNumberGenerator.GetHexString(8, lowercase: true)}", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        DateTimeOffset now = clock.GetUtcNow();
        return new CertificateAuthority(request.CreateSelfSigned(now - ClockSkew, now.AddYears(LifetimeYears)));
    }

    /// <param name="source">What errors call it.</param>
    /// <exception cref="ConvNetException">These are not a certificate and its key (exit code 3).</exception>
    public static CertificateAuthority FromPem(string certificate, string key, string source)
    {
        try
        {
            return new CertificateAuthority(X509Certificate2.CreateFromPem(certificate, key));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw ConvNetException.BadInput($"{source} are not a certificate and its key in PEM: {e.Message.TrimEnd('.')}. Restore them.", e);
        }
    }

    /// <summary>Signs a certificate for a new key, valid for a year.</summary>
    /// <param name="name">Its common name, for people; that of Redis may also be the host name in the cluster's URL.</param>
    /// <param name="addresses">Where a silo with it may be, none: anywhere; or at which Redis is called.</param>
    /// <returns>Certificate and key in PEM.</returns>
    /// <exception cref="ConvNetException">The CA has expired (exit code 8).</exception>
    public (string Certificate, string Key) Issue(PeerRole role, string name, IEnumerable<IPAddress> addresses, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        DateTimeOffset end = _certificate.NotAfter;
        if (end <= now)
        {
            throw new ConvNetException(
                ExitCode.NotAuthorised, $"the CA expired on {end.UtcDateTime:yyyy-MM-dd}; make a new one with 'convnet cluster certs init DIR'.");
        }

        using ECDsa key = NewKey();
        CertificateRequest request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            role == PeerRole.Client ? [ClientAuthentication] : [ServerAuthentication, ClientAuthentication], critical: false));
        request.CertificateExtensions.Add(AlternativeNames(role, name, addresses));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));

        DateTimeOffset begin = new[] { _certificate.NotBefore, now - ClockSkew }.Max();
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7F;
        using X509Certificate2 signed = request.Create(
            _certificate, begin, new[] { end, now.AddDays(LifetimeDaysOfPeer) }.Min(), serial);
        return (signed.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _certificate.Dispose();

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private static X509Extension AlternativeNames(PeerRole role, string name, IEnumerable<IPAddress> addresses)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(role.DnsName());
        if (role == PeerRole.Redis && Uri.CheckHostName(name) == UriHostNameType.Dns)
        {
            names.AddDnsName(name);
        }

        foreach (IPAddress address in addresses)
        {
            names.AddIpAddress(address);
        }

        return names.Build();
    }
}
