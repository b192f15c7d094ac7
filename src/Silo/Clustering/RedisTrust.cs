using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Security;

namespace ConvNet.Silo.Clustering;

/// <summary>Which certificates of a rediss:// server are believed: in time, for the host of the cluster's URL, and of a CA that the user names.</summary>
internal sealed class RedisTrust
{
    private readonly string _host;
    private readonly string _source;
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _own;

    private RedisTrust(string host, string source, X509Certificate2Collection? authorities, X509Certificate2? own) =>
        (_host, _source, _authorities, _own) = (host, source, authorities, own);

    /// <param name="authorityFile">File with the CA in PEM; null: that of the identity, and without one those that the machine trusts.</param>
    /// <param name="identity">What we show a Redis that asks for a certificate, or null.</param>
    /// <exception cref="ConvNetException">The file holds no certificate (exit code 3).</exception>
    public static RedisTrust Of(string host, string? authorityFile, PeerIdentity? identity)
    {
        string? path = authorityFile ?? (identity is null ? null : Path.Combine(identity.Folder, CertificateFolder.AuthorityFile));
        return new RedisTrust(
            host,
            path is null ? "of a CA that this machine trusts; name its CA in --redis-ca FILE" : $"of the CA in '{path}'",
            path is null ? null : CertificateFolder.ReadAll(path),
            identity?.Certificate);
    }

    /// <summary>How one connection begins, whose certificate is judged by <see cref="Refuse"/>.</summary>
    public SslClientAuthenticationOptions Options() => new()
    {
        TargetHost = _host,
        CertificateChainPolicy = Policy(),
        ClientCertificates = _own is null ? null : [_own],
    };

    /// <returns>Null for a server to trust; else why not, as half a sentence.</returns>
    public string? Refuse(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || errors == SslPolicyErrors.None)
        {
            return certificate is null ? "it shows no certificate" : null;
        }

        string name = CertificateFile.NameOf(certificate);
        if (DateTime.Now > certificate.NotAfter)
        {
            return $"its certificate '{name}' expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            X509ChainStatusFlags faults = (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
            return faults.HasFlag(X509ChainStatusFlags.NotValidForUsage)
                ? $"its certificate '{name}' is not for a server"
                : $"its certificate '{name}' is not {_source}";
        }

        string[] hosts =
        [
            .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())
                .Where(name => name != PeerRole.Redis.DnsName()),
            .. CertificateFile.AddressesOf(certificate).Select(address => $"{address}"),
        ];
        return $"its certificate '{name}' is for {(hosts.Length > 0 ? string.Join(", ", hosts) : "no host")}, not for {_host}";
    }

    /// <summary>Null for what the machine trusts. One for each handshake, as .NET completes it.</summary>
    private X509ChainPolicy? Policy()
    {
        if (_authorities is null)
        {
            return null;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }
}
