using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Security;

/// <summary>What a process shows its peers, and whom it trusts: the files of a --tls folder.</summary>
public sealed class PeerIdentity
{
    /// <summary>While one CA takes over from another there are two.</summary>
    private const int MaxAuthorities = 8;

    private readonly X509Certificate2Collection _authorities;

    private PeerIdentity(string folder, PeerRole role, X509Certificate2 certificate, X509Certificate2Collection authorities) =>
        (Folder, Role, Certificate, _authorities) = (folder, role, certificate, authorities);

    public string Folder { get; }

    public PeerRole Role { get; }

    /// <summary>With its key.</summary>
    internal X509Certificate2 Certificate { get; }

    /// <exception cref="ConvNetException">
    /// A file is missing or damaged (exit code 3), or no peer would accept the certificate (8).
    /// </exception>
    public static PeerIdentity Load(string folder, PeerRole role, TimeProvider clock)
    {
        if (!Directory.Exists(folder))
        {
            throw ConvNetException.BadInput(
                $"--tls '{folder}' is no folder; name one with {CertificateFolder.AuthorityFile}, {CertificateFolder.FileOf(role)} and " +
                $"{CertificateFolder.KeyFileOf(role)}, as 'convnet cluster certs init DIR' makes it.");
        }

        string authorityPath = Path.Combine(folder, CertificateFolder.AuthorityFile);
        X509Certificate2Collection authorities = CertificateFolder.ReadAll(authorityPath);
        if (authorities.Count > MaxAuthorities)
        {
            throw ConvNetException.BadInput(
                $"'{authorityPath}' holds {authorities.Count} certificates, more than the {MaxAuthorities} allowed; keep those in use.");
        }

        string path = Path.Combine(folder, CertificateFolder.FileOf(role));
        string keyPath = Path.Combine(folder, CertificateFolder.KeyFileOf(role));
        var identity = new PeerIdentity(folder, role, Pair(path, keyPath), authorities);
        if (identity.Doubt(clock) is { } doubt)
        {
            throw new ConvNetException(
                ExitCode.NotAuthorised, $"'{path}' lets nobody in: {doubt}; issue another with 'convnet cluster certs add DIR --{role.InWords()} NAME'.");
        }

        return identity;
    }

    /// <summary>A sentence about a certificate that expires soon, or null.</summary>
    public string? Warn(TimeProvider clock) => CertificateFile.Of(Path.Combine(Folder, CertificateFolder.FileOf(Role)), Certificate).Warn(clock);

    /// <summary>Our CA alone, whatever the machine trusts besides. One for each handshake, as .NET completes it.</summary>
    internal X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    private static X509Certificate2 Pair(string path, string keyPath)
    {
        try
        {
            return X509Certificate2.CreateFromPem(CertificateFolder.Read(path), CertificateFolder.Read(keyPath));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw ConvNetException.BadInput(
                $"'{path}' and '{keyPath}' are not a certificate and its key in PEM: {e.Message.TrimEnd('.')}. Restore them, or issue others.", e);
        }
    }

    /// <summary>What peers would say of our own certificate.</summary>
    private string? Doubt(TimeProvider clock)
    {
        using var chain = new X509Chain { ChainPolicy = ChainPolicy() };
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = clock.GetUtcNow().UtcDateTime;
        SslPolicyErrors errors = chain.Build(Certificate) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        return PeerCheck.Refuse(Certificate, chain, errors, [Role], place: null, clock.GetUtcNow());
    }
}
