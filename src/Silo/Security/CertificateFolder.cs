using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Engine.Errors;
using ConvNet.Engine.Files;
using ConvNet.Grains.Contracts.Jobs;

namespace ConvNet.Silo.Security;

/// <summary>
/// The certificates of a cluster as files: ca.pem, silo.pem with silo.key and client.pem with client.key, each pair enough for a --tls folder
/// together with ca.pem; and the CA's own key in ca/, which no silo needs.
/// </summary>
public sealed class CertificateFolder(string folder)
{
    public const string AuthorityFile = "ca.pem";
    private const string AuthorityFolder = "ca";
    private const string AuthorityKeyFile = "ca.key";
    private const int MaxBytes = 1 << 16;

    public static string FileOf(PeerRole role) => $"{role.InWords()}.pem";

    public static string KeyFileOf(PeerRole role) => $"{role.InWords()}.key";

    /// <summary>Reads one of the files.</summary>
    /// <exception cref="ConvNetException">It is missing, or no text of a plausible size (exit code 3).</exception>
    public static string Read(string path) => TextFile.Read(path, $"'{path}'", MaxBytes);

    /// <summary>Makes a CA, a certificate for silos and one for clients.</summary>
    /// <exception cref="ConvNetException">There are certificates already (exit code 6), or the folder cannot be written (3 or 7).</exception>
    public void Init(TimeProvider clock)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new ConvNetException(
                ExitCode.Conflict,
                $"'{folder}' is not empty, and what is in it is not overwritten; name a new folder, or add certificates to it with " +
                $"'convnet cluster certs add {folder}'.");
        }

        using var authority = CertificateAuthority.Create(clock);
        Write(() =>
        {
            PrivateFile.CreateFolder(folder);
            PrivateFile.CreateFolder(Path.Combine(folder, AuthorityFolder));
            WriteNew(Path.Combine(folder, AuthorityFolder, AuthorityKeyFile), authority.KeyPem);
            WriteNew(Path.Combine(folder, AuthorityFile), authority.CertificatePem);
            WritePeer(folder, PeerRole.Silo, authority.Issue(PeerRole.Silo, "silo", [], clock));
            WritePeer(folder, PeerRole.Client, authority.Issue(PeerRole.Client, "client", [], clock));
        });
    }

    /// <summary>Makes a further certificate, in a --tls folder of its own below this one.</summary>
    /// <param name="addresses">Where a silo with it may be, none: anywhere; or at which Redis is called.</param>
    /// <returns>That folder.</returns>
    /// <exception cref="ConvNetException">
    /// The name or the CA's files cannot be used (exit code 3), the CA has expired (8), there is such a certificate (6), or the folder cannot be
    /// written (3 or 7).
    /// </exception>
    public string Add(PeerRole role, string name, IReadOnlyList<IPAddress> addresses, TimeProvider clock)
    {
        if (PlainName.ProblemOf(name, 63) is { } problem)
        {
            throw ConvNetException.BadInput($"--{role.InWords()}: {problem}.");
        }

        if (role == PeerRole.Redis && name.EndsWith(".convnet", StringComparison.OrdinalIgnoreCase))
        {
            throw ConvNetException.BadInput($"--redis: '{name}' would be the role of a silo or client in the certificate; choose another name.");
        }

        if (name == AuthorityFolder)
        {
            throw ConvNetException.BadInput($"--{role.InWords()}: the folder '{AuthorityFolder}' holds the CA's key; choose another name.");
        }

        string certificate = Path.Combine(folder, AuthorityFile);
        string key = Path.Combine(folder, AuthorityFolder, AuthorityKeyFile);
        using var authority = CertificateAuthority.FromPem(Read(certificate), Read(key), $"'{certificate}' and '{key}'");
        string own = Path.Combine(folder, name);
        if (File.Exists(Path.Combine(own, FileOf(role))) || File.Exists(Path.Combine(own, KeyFileOf(role))))
        {
            throw new ConvNetException(
                ExitCode.Conflict, $"'{own}' holds a certificate of a {role.InWords()} already, and is not overwritten; choose another name, or move it away.");
        }

        (string Certificate, string Key) issued = authority.Issue(role, name, addresses, clock);
        Write(() =>
        {
            PrivateFile.CreateFolder(own);
            if (!File.Exists(Path.Combine(own, AuthorityFile)))
            {
                WriteNew(Path.Combine(own, AuthorityFile), authority.CertificatePem);
            }

            WritePeer(own, role, issued);
        });
        return own;
    }

    /// <summary>What certificates there are, here and in the folders below, in the order of their paths.</summary>
    /// <exception cref="ConvNetException">There is none, or one cannot be read (exit code 3).</exception>
    public IReadOnlyList<CertificateFile> List()
    {
        string[] names = [AuthorityFile, .. Enum.GetValues<PeerRole>().Select(FileOf)];
        string[] folders = Directory.Exists(folder) ? [folder, .. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)] : [];
        CertificateFile[] found =
        [
            .. from place in folders
               from name in names
               let path = Path.Combine(place, name)
               where File.Exists(path)
               from certificate in ReadAll(path)
               select CertificateFile.Of(Path.GetRelativePath(folder, path), certificate),
        ];
        return found.Length > 0 ? found : throw ConvNetException.BadInput(
            $"there are no certificates in '{folder}'; make some with 'convnet cluster certs init {folder}'.");
    }

    /// <summary>All certificates of a PEM file; of ca.pem there may be several while one takes over from another.</summary>
    /// <exception cref="ConvNetException">There is none (exit code 3).</exception>
    public static X509Certificate2Collection ReadAll(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Read(path));
        }
        catch (CryptographicException e)
        {
            throw ConvNetException.BadInput($"'{path}' is no certificate in PEM: {e.Message.TrimEnd('.')}. Restore it, or issue another.", e);
        }

        return certificates.Count > 0 ? certificates : throw ConvNetException.BadInput(
            $"'{path}' holds no certificate in PEM (-----BEGIN CERTIFICATE-----). Restore it, or issue another.");
    }

    private static void WritePeer(string folder, PeerRole role, (string Certificate, string Key) issued)
    {
        WriteNew(Path.Combine(folder, KeyFileOf(role)), issued.Key);
        WriteNew(Path.Combine(folder, FileOf(role)), issued.Certificate);
    }

    private static void WriteNew(string path, string text)
    {
        using StreamWriter writer = PrivateFile.OpenText(path, FileMode.CreateNew);
        writer.Write(text);
        writer.Write('\n');
    }

    private void Write(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw new ConvNetException(FileFailure.CodeOf(e), $"'{folder}' cannot be written: {e.Message.TrimEnd('.')}.", e);
        }
    }
}
