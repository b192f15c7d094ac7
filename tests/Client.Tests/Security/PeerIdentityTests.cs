using ConvNet.Engine.Errors;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class PeerIdentityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("client.pem", "does not exist")]
    [InlineData("client.key", "does not exist")]
    [InlineData("ca.pem", "does not exist")]
    public void A_folder_without_one_of_the_files_is_bad_input(string missing, string reason)
    {
        string folder = Make("certs", TimeProvider.System);
        File.Delete(Path.Combine(folder, missing));

        AssertRefused(ExitCode.BadInput, reason, folder, PeerRole.Client);
        AssertRefused(ExitCode.BadInput, "is no folder", _folder["none"], PeerRole.Client);
    }

    [Theory]
    [InlineData("ca.pem")]
    [InlineData("silo.pem")]
    [InlineData("silo.key")]
    public void A_damaged_file_is_bad_input(string damaged)
    {
        string folder = Make("certs", TimeProvider.System);
        File.WriteAllText(Path.Combine(folder, damaged), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

        AssertRefused(ExitCode.BadInput, damaged, folder, PeerRole.Silo);
    }

    [Fact]
    public void A_key_of_another_certificate_is_bad_input()
    {
        string folder = Make("certs", TimeProvider.System);
        File.Copy(Path.Combine(folder, "silo.key"), Path.Combine(folder, "client.key"), overwrite: true);

        AssertRefused(ExitCode.BadInput, "are not a certificate and its key", folder, PeerRole.Client);
    }

    [Fact]
    public void A_certificate_that_nobody_would_accept_is_not_used()
    {
        string expired = Make("expired", new FixedClock(DateTimeOffset.UtcNow.AddYears(-2)));
        AssertRefused(ExitCode.NotAuthorised, "expired on", expired, PeerRole.Client);

        string foreign = Make("foreign", TimeProvider.System);
        File.Copy(Path.Combine(Make("other", TimeProvider.System), "ca.pem"), Path.Combine(foreign, "ca.pem"), overwrite: true);
        AssertRefused(ExitCode.NotAuthorised, "is not of this cluster's CA", foreign, PeerRole.Client);

        string client = Make("client", TimeProvider.System);
        File.Copy(Path.Combine(client, "client.pem"), Path.Combine(client, "silo.pem"), overwrite: true);
        File.Copy(Path.Combine(client, "client.key"), Path.Combine(client, "silo.key"), overwrite: true);
        AssertRefused(ExitCode.NotAuthorised, "is of a client, not of a silo", client, PeerRole.Silo);
    }

    [Fact]
    public void While_one_CA_takes_over_from_another_both_are_trusted()
    {
        string old = Make("old", TimeProvider.System);
        string young = Make("young", TimeProvider.System);
        File.AppendAllText(Path.Combine(old, "ca.pem"), File.ReadAllText(Path.Combine(young, "ca.pem")));
        File.Copy(Path.Combine(young, "silo.pem"), Path.Combine(old, "silo.pem"), overwrite: true);
        File.Copy(Path.Combine(young, "silo.key"), Path.Combine(old, "silo.key"), overwrite: true);

        PeerIdentity.Load(old, PeerRole.Silo, TimeProvider.System);
        PeerIdentity.Load(old, PeerRole.Client, TimeProvider.System);
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertRefused(ExitCode code, string reason, string folder, PeerRole role)
    {
        ConvNetException error = Assert.Throws<ConvNetException>(() => PeerIdentity.Load(folder, role, TimeProvider.System));
        Assert.Equal(code, error.ExitCode);
        Assert.Contains(reason, error.Message);
    }

    private string Make(string name, TimeProvider clock)
    {
        new CertificateFolder(_folder[name]).Init(clock);
        return _folder[name];
    }
}
