using System.Net;
using ConvNet.Silo.Security;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// The same with mutual TLS between all, Redis included, for whose address its certificate is. The folder "certs" of its files has the certificates of
/// silos and client; "other" is of another CA.
/// </summary>
public sealed class RedisTlsFleet : RedisFleet
{
    public const string Certificates = "certs", Other = "other";

    protected override string[] Security => ["--tls", Certificates];

    public override async ValueTask InitializeAsync()
    {
        var certificates = new CertificateFolder(Path.Combine(Folder, Certificates));
        certificates.Init(TimeProvider.System);
        Redis.Certificates = certificates.Add(PeerRole.Redis, "lab-redis", [IPAddress.Loopback], TimeProvider.System);
        new CertificateFolder(Path.Combine(Folder, Other)).Init(TimeProvider.System);
        await base.InitializeAsync();
    }
}
