using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class PeerCheckTests : IDisposable
{
    private static readonly PeerRole[] Silos = [PeerRole.Silo];
    private static readonly PeerRole[] Everybody = [PeerRole.Silo, PeerRole.Client];
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_silo_may_use_both_ports_and_a_client_the_gateway_alone()
    {
        string folder = Make("certs", TimeProvider.System);

        Assert.Null(Refuse(folder, "silo.pem", Silos));
        Assert.Null(Refuse(folder, "silo.pem", Everybody));
        Assert.Null(Refuse(folder, "client.pem", Everybody));
        Assert.Equal("the certificate 'client' is of a client, not of a silo", Refuse(folder, "client.pem", Silos));
        new CertificateFolder(folder).Add(PeerRole.Redis, "lab", [], TimeProvider.System);
        Assert.Equal("the certificate 'lab' is of a redis, not of a silo or client", Refuse(folder, "lab/redis.pem", Everybody));
    }

    [Fact]
    public void Who_shows_no_certificate_is_refused() => Assert.Equal(
        "it shows no certificate",
        PeerCheck.Refuse(null, null, SslPolicyErrors.RemoteCertificateNotAvailable, Everybody, null, DateTimeOffset.UtcNow));

    [Fact]
    public void Another_CA_and_a_certificate_that_has_expired_are_refused()
    {
        string ours = Make("ours", TimeProvider.System);
        string foreign = Make("foreign", TimeProvider.System);
        string expired = Make("expired", new FixedClock(DateTimeOffset.UtcNow.AddYears(-2)));

        Assert.Equal("the certificate 'silo' is not of this cluster's CA", Refuse(ours, Path.Combine(foreign, "silo.pem"), Everybody));
        Assert.StartsWith("the certificate 'silo' expired on", Refuse(expired, "silo.pem", Everybody));
    }

    [Fact]
    public void A_certificate_that_our_CA_did_not_mean_for_a_cluster_is_refused()
    {
        string folder = Make("certs", TimeProvider.System);
        using X509Certificate2 authority = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "ca.pem"), Path.Combine(folder, "ca/ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=silo.convnet", key, HashAlgorithmName.SHA256);
        using X509Certificate2 other = request.Create(authority, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), [1]);

        Assert.Equal("the certificate 'silo.convnet' is for no role, not of a silo or client", Refuse(folder, other, Everybody, place: null));
    }

    [Fact]
    public void A_silo_whose_certificate_names_addresses_is_found_at_one_of_them()
    {
        string folder = Make("certs", TimeProvider.System);
        new CertificateFolder(folder).Add(PeerRole.Silo, "node-2", [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.3")], TimeProvider.System);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "node-2/silo.pem"));

        Assert.Null(Refuse(folder, certificate, Silos, IPAddress.Parse("10.0.0.3")));
        Assert.Null(Refuse(folder, certificate, Silos, place: null));
        Assert.Equal(
            "the certificate 'node-2' is for 10.0.0.2, 10.0.0.3, not for 10.0.0.4", Refuse(folder, certificate, Silos, IPAddress.Parse("10.0.0.4")));
    }

    public void Dispose() => _folder.Dispose();

    private static string? Refuse(string folder, string file, PeerRole[] roles)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, file));
        return Refuse(folder, certificate, roles, place: null);
    }

    /// <summary>As a peer would that trusts the CA of a folder.</summary>
    private static string? Refuse(string folder, X509Certificate2 certificate, PeerRole[] roles, IPAddress? place)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(CertificateFolder.ReadAll(Path.Combine(folder, "ca.pem")));
        using var chain = new X509Chain { ChainPolicy = policy };
        SslPolicyErrors errors = chain.Build(certificate) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        return PeerCheck.Refuse(certificate, chain, errors, roles, place, DateTimeOffset.UtcNow);
    }

    private string Make(string name, TimeProvider clock)
    {
        new CertificateFolder(_folder[name]).Init(clock);
        return _folder[name];
    }
}
