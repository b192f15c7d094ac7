using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>What strangers at the ports of a silo cost: little, and never the job that runs.</summary>
public sealed class StrangersTests(SiloFleet open, TlsFleet secured) : IClassFixture<SiloFleet>, IClassFixture<TlsFleet>
{
    private const int AllowedMegabytes = 400;
    private static readonly string[] Job = ["--model", "lenet", "--batch", "96", "--workers", "1"];

    /// <summary>What the runtime keeps of memory that it has used once, and what the job takes meanwhile; and without a job.</summary>
    private const int KeptMegabytes = 100, IdleMegabytes = 40;

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_does_not_prove_who_he_is_is_closed_and_the_job_goes_on(bool tls)
    {
        SiloFleet fleet = tls ? secured : open;
        string[] security = tls ? ["--tls", TlsFleet.Clients] : [];
        await fleet.HaveWorkersAsync("worker-1");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--steps", "100000", "--cluster", fleet.Url, .. security, "--job", "long", "--out", "long"]);
        await fleet.RowsAsync("long", 2);
        long before = fleet.MegabytesOf("server-1");

        using var strangers = new Strangers();
        byte[] noise = new byte[4096];
        Random.Shared.NextBytes(noise);
        foreach (int port in new[] { fleet.Port, fleet.Gateway })
        {
            await strangers.ComeAsync(port, 300);
            await strangers.ComeAsync(port, 50, noise);
            await strangers.ComeAsync(port, 1, [0x16]);
            await strangers.DribbleAsync(3);
        }

        long most = fleet.MegabytesOf("server-1");
        await strangers.AreGoneAsync();

        Assert.True(most < before + AllowedMegabytes, $"{before} MB have become {most} MB");
        await fleet.RowsAsync("long", fleet.Rows("long") + 5);
        await AssertRecoversAsync(fleet, before);
        fleet.AssertAllRun();
        training.Terminate();
        await training.EndAsync(143);
        Assert.Empty(training.MemberChanges);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ten_thousand_connections_at_each_port_that_say_nothing_cost_little_and_the_job_ends_in_the_same_bits(bool tls)
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        SiloFleet fleet = tls ? secured : open;
        string[] way = ["--cluster", fleet.Url, .. tls ? (string[])["--tls", TlsFleet.Clients] : []];
        await fleet.HaveWorkersAsync("worker-1");
        using ClientProcess training = ClientProcess.Start(
            fleet.Folder, ["train", "--json", .. Job, "--steps", "1000000", .. way, "--job", "crowd", "--out", "crowd"]);
        await fleet.RowsAsync("crowd", 20);
        long before = fleet.MegabytesOf("server-1"), most = 0;
        foreach (int port in new[] { fleet.Port, fleet.Gateway })
        {
            using var strangers = new Strangers();
            await strangers.ComeAsync(port, 10_000);
            most = Math.Max(most, fleet.MegabytesOf("server-1"));
            using ClientProcess client = await ClientProcess.RunAsync(0, fleet.Folder, ["job", "list", .. way]);
            await fleet.RowsAsync("crowd", fleet.Rows("crowd") + 20);
            await strangers.AreGoneAsync();
        }

        Assert.True(most < before + AllowedMegabytes, $"{before} MB have become {most} MB");
        long after = await AssertRecoversAsync(fleet, before);
        TestContext.Current.SendDiagnosticMessage($"{before} MB, at most {most} MB, then {after} MB");
        training.Terminate();
        await training.EndAsync(143);
        Assert.Empty(training.MemberChanges);
        JobEnd end = JobEnd.Of(training);
        JobEnd alone = await JobEnd.TrainAsync(fleet.Folder, [.. Job, "--steps", "1000000", "--stop-after", $"{end.Steps}"]);
        Assert.Equal((alone.StateSha256, alone.Steps), (end.StateSha256, end.Steps));
    }

    [Fact]
    public async Task Messages_that_are_announced_and_half_sent_hold_a_bounded_memory()
    {
        Assert.SkipUnless(FullRun.IsAsked, FullRun.Needed);
        byte[] preamble = await PreambleAsync();
        long before = open.MegabytesOf("server-1");
        byte[] announced = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(announced, 100);
        BinaryPrimitives.WriteInt32LittleEndian(announced.AsSpan(4), 15 << 20);
        byte[] half = new byte[8 << 20];

        using var strangers = new Strangers();
        await strangers.ComeAsync(open.Gateway, 60, preamble, announced, half);
        long most = open.MegabytesOf("server-1");
        await strangers.AreGoneAsync();

        Assert.True(most < before + AllowedMegabytes, $"{before} MB have become {most} MB");
        await AssertRecoversAsync(open, before, IdleMegabytes);
        using ClientProcess client = await ClientProcess.RunAsync(0, open.Folder, "job", "list", "--cluster", open.Url);
        open.AssertAllRun();
    }

    /// <summary>When they have gone the memory is given back.</summary>
    /// <param name="before">Of the server silo, in megabytes.</param>
    private static async Task<long> AssertRecoversAsync(SiloFleet fleet, long before, int kept = KeptMegabytes)
    {
        using var deadline = new CancellationTokenSource(Recovery);
        long now = fleet.MegabytesOf("server-1");
        while (now > before + kept)
        {
            Assert.False(deadline.IsCancellationRequested, $"of {before} MB have remained {now} MB for {Recovery.TotalSeconds:F0} s");
            await Task.Delay(100, CancellationToken.None);
            now = fleet.MegabytesOf("server-1");
        }

        return now;
    }

    /// <summary>The first words of a client, as it says them to a gateway of ours.</summary>
    private async Task<byte[]> PreambleAsync()
    {
        using var gateway = new TcpListener(IPAddress.Loopback, 0);
        gateway.Start();
        using ClientProcess client = ClientProcess.Start(
            open.Folder, "job", "list", "--cluster", $"dev://127.0.0.1:{open.Port}?gateway={((IPEndPoint)gateway.LocalEndpoint).Port}");
        using (await gateway.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            // It asks first which port this is, and gets no answer.
        }

        using Socket caller = await gateway.AcceptSocketAsync(TestContext.Current.CancellationToken);
        byte[] said = new byte[1024];
        int length = 0;
        do
        {
            length += await caller.ReceiveAsync(said.AsMemory(length), TestContext.Current.CancellationToken);
        }
        while (length < 4 || length < 4 + BinaryPrimitives.ReadInt32LittleEndian(said));

        return said[..length];
    }
}
