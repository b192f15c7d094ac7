using System.Net;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Client.Tests.Commands;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class CertificateFolderTests : IDisposable
{
    private const UnixFileMode Others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void New_certificates_work_for_silos_and_clients_and_are_for_their_owner_alone()
    {
        new CertificateFolder(_folder["certs"]).Init(TimeProvider.System);

        Assert.Equal(PeerRole.Silo, PeerIdentity.Load(_folder["certs"], PeerRole.Silo, TimeProvider.System).Role);
        Assert.Equal(PeerRole.Client, PeerIdentity.Load(_folder["certs"], PeerRole.Client, TimeProvider.System).Role);
        string[] made = Directory.GetFileSystemEntries(_folder["certs"], "*", SearchOption.AllDirectories);
        Assert.Equal(
            ["ca", "ca.key", "ca.pem", "client.key", "client.pem", "silo.key", "silo.pem"],
            made.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string path in made.Append(_folder["certs"]))
        {
            Assert.Equal(UnixFileMode.None, OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(path) & Others);
        }
    }

    [Fact]
    public void Certificates_that_are_there_are_not_overwritten()
    {
        var certificates = new CertificateFolder(_folder["certs"]);
        certificates.Init(TimeProvider.System);
        certificates.Add(PeerRole.Silo, "node-2", [], TimeProvider.System);
        string before = File.ReadAllText(_folder["certs/node-2/silo.key"]);

        Assert.Equal(ExitCode.Conflict, Assert.Throws<ConvNetException>(() => certificates.Init(TimeProvider.System)).ExitCode);
        Assert.Equal(
            ExitCode.Conflict, Assert.Throws<ConvNetException>(() => certificates.Add(PeerRole.Silo, "node-2", [], TimeProvider.System)).ExitCode);
        Assert.Equal(before, File.ReadAllText(_folder["certs/node-2/silo.key"]));
    }

    [Fact]
    public void An_added_certificate_is_a_folder_of_its_own_that_says_whose_it_is_and_where()
    {
        var certificates = new CertificateFolder(_folder["certs"]);
        certificates.Init(TimeProvider.System);

        string silo = certificates.Add(PeerRole.Silo, "node-2", [IPAddress.Parse("10.0.0.2")], TimeProvider.System);
        string client = certificates.Add(PeerRole.Client, "ann", [], TimeProvider.System);

        PeerIdentity.Load(silo, PeerRole.Silo, TimeProvider.System);
        PeerIdentity.Load(client, PeerRole.Client, TimeProvider.System);
        CertificateFile file = Assert.Single(certificates.List(), file => file.Path == Path.Combine("node-2", "silo.pem"));
        Assert.Equal(("node-2", "silo"), (file.Name, file.Role));
        Assert.Equal([IPAddress.Parse("10.0.0.2")], file.Addresses);
        Assert.Equal("CA", certificates.List()[0].Role);
    }

    [Fact]
    public void A_certificate_of_redis_says_where_it_is_and_never_that_it_is_a_member()
    {
        var certificates = new CertificateFolder(_folder["certs"]);
        certificates.Init(TimeProvider.System);

        string redis = certificates.Add(PeerRole.Redis, "redis.lab", [IPAddress.Parse("10.0.0.10")], TimeProvider.System);

        CertificateFile file = Assert.Single(certificates.List(), file => file.Role == "redis");
        Assert.Equal((Path.Combine("redis.lab", "redis.pem"), IPAddress.Parse("10.0.0.10")), (file.Path, Assert.Single(file.Addresses)));
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(redis, "redis.pem"));
        Assert.True(certificate.MatchesHostname("redis.lab"));
        Assert.True(certificate.MatchesHostname("10.0.0.10"));
        Assert.Equal(
            ExitCode.BadInput,
            Assert.Throws<ConvNetException>(() => certificates.Add(PeerRole.Redis, "silo.convnet", [], TimeProvider.System)).ExitCode);
    }

    [Theory]
    [InlineData("../up")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("ca")]
    [InlineData("-x")]
    public void A_name_that_is_no_plain_folder_is_refused(string name)
    {
        var certificates = new CertificateFolder(_folder["certs"]);
        certificates.Init(TimeProvider.System);

        Assert.Equal(
            ExitCode.BadInput, Assert.Throws<ConvNetException>(() => certificates.Add(PeerRole.Silo, name, [], TimeProvider.System)).ExitCode);
    }

    [Theory]
    [InlineData(300, null)]
    [InlineData(340, "expires on")]
    [InlineData(366, "expired on")]
    public void A_certificate_near_its_end_is_warned_of(int daysAgo, string? warning)
    {
        new CertificateFolder(_folder["certs"]).Init(new FixedClock(DateTimeOffset.UtcNow.AddDays(-daysAgo)));

        CertificateFile silo = new CertificateFolder(_folder["certs"]).List().Single(file => file.Path == "silo.pem");

        Assert.Equal(warning is null, silo.Warn(TimeProvider.System) is null);
        Assert.Contains(warning ?? "", silo.Warn(TimeProvider.System) ?? "");
    }

    [Fact]
    public void An_expired_CA_signs_nothing()
    {
        var certificates = new CertificateFolder(_folder["certs"]);
        certificates.Init(new FixedClock(DateTimeOffset.UtcNow.AddYears(-11)));

        ConvNetException error = Assert.Throws<ConvNetException>(() => certificates.Add(PeerRole.Client, "ann", [], TimeProvider.System));

        Assert.Equal(ExitCode.NotAuthorised, error.ExitCode);
        Assert.Contains("the CA expired on", error.Message);
    }

    [Fact]
    public async Task The_command_makes_adds_and_shows_certificates()
    {
        string certs = _folder["certs"];
        CommandLineRun init = await CommandLineRun.RunAsync("cluster", "certs", "init", certs);
        CommandLineRun add = await CommandLineRun.RunAsync("cluster", "certs", "add", certs, "--silo", "node-2", "--ip", "10.0.0.2");
        CommandLineRun neither = await CommandLineRun.RunAsync("cluster", "certs", "add", certs);
        CommandLineRun both = await CommandLineRun.RunAsync("cluster", "certs", "add", certs, "--silo", "a", "--client", "b");
        CommandLineRun nowhere = await CommandLineRun.RunAsync("cluster", "certs", "show", _folder["none"]);
        CommandLineRun show = await CommandLineRun.RunAsync("cluster", "certs", "show", certs);

        Assert.Equal([0, 0, 2, 2, 3, 0], new[] { init, add, neither, both, nowhere, show }.Select(run => run.ExitCode));
        Assert.Contains("10.0.0.2", show.Out);
        Assert.Contains("client.pem", show.Out);
        Assert.Equal("", show.Error);
    }

    public void Dispose() => _folder.Dispose();
}
