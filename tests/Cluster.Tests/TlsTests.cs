using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Who may come into a cluster with TLS, and who hears that he may not; the job that runs meanwhile hears nothing of it.</summary>
public sealed class TlsTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96"];

    [Fact]
    public async Task Silos_with_certificates_give_the_bits_of_one_process()
    {
        await fleet.HaveWorkersAsync("worker-1", "worker-2");

        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--steps", "20", "--workers", "1"]);
        JobEnd together = await JobEnd.TrainAsync(
            fleet.Folder, [.. Job, "--steps", "20", "--workers", "2", "--cluster", fleet.Url, "--tls", TlsFleet.Clients]);

        Assert.Equal(alone.StateSha256, together.StateSha256);
        Assert.Equal(2, together.Samples.Length);
    }

    [Fact]
    public async Task Who_may_not_come_in_hears_why_and_the_job_goes_on()
    {
        await fleet.HaveWorkersAsync("worker-1", "worker-2");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder,
            ["train", "--json", .. Job, "--steps", "100000", "--workers", "2", "--cluster", fleet.Url, "--tls", TlsFleet.Clients, "--out", "long"]);
        await fleet.RowsAsync("long", 2);

        await ListAsync(8, fleet.Url, "demands TLS; name the folder");
        await ListAsync(8, fleet.Url, "is not of this cluster's CA", "--tls", TlsFleet.Other);
        await ListAsync(8, fleet.Url, "expired on", "--tls", TlsFleet.Expired);
        await ListAsync(3, fleet.Url, "client.pem' does not exist", "--tls", TlsFleet.Silos);
        await ListAsync(0, fleet.Url, "", "--tls", TlsFleet.Clients);

        await ListAsync(4, $"dev://127.0.0.1:{fleet.Port}?gateway={fleet.Port}", "for other silos, not its gateway", "--tls", TlsFleet.Clients);
        await JoinAsync(8, fleet.Url, "demands TLS; name the folder");
        await JoinAsync(8, fleet.Url, "is not of this cluster's CA", "--tls", TlsFleet.Other);
        await JoinAsync(8, fleet.Url, "expired on", "--tls", TlsFleet.Expired);
        await JoinAsync(8, fleet.Url, "is of a client, not of a silo", "--tls", ClientAsSilo());

        await fleet.RowsAsync("long", fleet.Rows("long") + 5);
        fleet.AssertAllRun();
        training.Terminate();
        await training.EndAsync(143);
        Assert.Empty(training.MemberChanges);
        string log = await File.ReadAllTextAsync(Path.Combine(fleet.Folder, "logs", "server-1.clef"), TestContext.Current.CancellationToken);
        Assert.Contains("it does not speak TLS, which this silo demands", log);
        Assert.DoesNotContain("AuthenticationException", log);
    }

    [Theory]
    [InlineData("does not speak TLS", null)]
    [InlineData("the certificate 'elsewhere' is for 10.9.8.7, not for 127.0.0.1", TlsFleet.Elsewhere)]
    public async Task A_silo_that_is_not_to_be_trusted_gets_no_client_and_no_silo(string reason, string? certificates)
    {
        int[] ports = FreePorts.Take(2);
        string url = $"dev://127.0.0.1:{ports[0]}?gateway={ports[1]}";
        string[] security = certificates is null ? [] : ["--tls", certificates];
        using ClientProcess silo = ClientProcess.Start(
            fleet.Folder, ["silo", "--name", "doubtful", "--cluster", url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", .. security]);
        await silo.SaysAsync("doubtful is in the cluster");

        await ListAsync(8, url, reason, "--tls", TlsFleet.Clients);
        await JoinAsync(8, url, reason, "--tls", TlsFleet.Silos);
        Assert.False(silo.HasExited);
    }

    /// <summary>Asks a cluster for its jobs.</summary>
    private async Task ListAsync(int exitCode, string url, string reason, params string[] security)
    {
        using ClientProcess client = await ClientProcess.RunAsync(exitCode, fleet.Folder, ["job", "list", "--cluster", url, .. security]);
        AssertSaid(reason, client);
    }

    /// <summary>Starts a further silo, which must not get in.</summary>
    private async Task JoinAsync(int exitCode, string url, string reason, params string[] security)
    {
        int[] ports = FreePorts.Take(2);
        using ClientProcess silo = await ClientProcess.RunAsync(
            exitCode, fleet.Folder, ["silo", "--name", "late", "--cluster", url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", .. security]);
        AssertSaid(reason, silo);
    }

    private static void AssertSaid(string reason, ClientProcess process)
    {
        Assert.Contains(reason, process.Error);
        Assert.DoesNotContain("   at ", process.Error);
    }

    /// <summary>A folder in which the certificate of a client stands for that of a silo.</summary>
    private string ClientAsSilo()
    {
        string folder = Directory.CreateDirectory(Path.Combine(fleet.Folder, "mixed")).FullName;
        string clients = Path.Combine(fleet.Folder, TlsFleet.Clients);
        File.Copy(Path.Combine(clients, "ca.pem"), Path.Combine(folder, "ca.pem"));
        File.Copy(Path.Combine(clients, "client.pem"), Path.Combine(folder, "silo.pem"));
        File.Copy(Path.Combine(clients, "client.key"), Path.Combine(folder, "silo.key"));
        return "mixed";
    }
}
