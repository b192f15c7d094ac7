using ConvNet.Silo.Security;

namespace ConvNet.Cluster.Tests;

/// <summary>The same with mutual TLS; the folder "certs" of its files has the certificates of silos and client.</summary>
public sealed class RedisTlsFleet : RedisFleet
{
    public const string Certificates = "certs";

    protected override string[] Security => ["--tls", Certificates];

    public override async ValueTask InitializeAsync()
    {
        new CertificateFolder(Path.Combine(Folder, Certificates)).Init(TimeProvider.System);
        await base.InitializeAsync();
    }
}
