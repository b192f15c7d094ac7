using System.Net;
using ConvNet.Silo.Security;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// The same with TLS. In the folder "certs" of its files, silo.pem and client.pem have expired; "certs/silos" and "certs/clients" are good.
/// "other" is of another CA.
/// </summary>
public sealed class TlsFleet : SiloFleet
{
    public const string Silos = "certs/silos", Clients = "certs/clients", Elsewhere = "certs/elsewhere", Expired = "certs", Other = "other";

    protected override string[] Security => ["--tls", Silos];

    public override async ValueTask InitializeAsync()
    {
        var certificates = new CertificateFolder(Path.Combine(Folder, Expired));
        certificates.Init(new FixedClock(DateTimeOffset.UtcNow.AddYears(-2)));
        certificates.Add(PeerRole.Silo, "silos", [], TimeProvider.System);
        certificates.Add(PeerRole.Client, "clients", [], TimeProvider.System);
        certificates.Add(PeerRole.Silo, "elsewhere", [IPAddress.Parse("10.9.8.7")], TimeProvider.System);
        new CertificateFolder(Path.Combine(Folder, Other)).Init(TimeProvider.System);
        await base.InitializeAsync();
    }
}
