using System.IO.Pipelines;
using ConvNet.Silo.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class ConnectionGateTests : IDisposable
{
    private static readonly WireLimits Limits = new(TimeSpan.FromMinutes(5), Connections: 3, Unproven: 2, PendingBytes: 1000, TimeSpan.FromMinutes(5));
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly PendingMessages _pending = new(Limits, TimeProvider.System);

    private readonly WireMemory _memory = new(TimeProvider.System, () => { });

    public void Dispose()
    {
        _pending.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public async Task Beyond_the_connections_that_have_not_proved_who_they_are_the_oldest_is_closed()
    {
        Peer[] peers = [.. Open(Limits, prove: false, count: 3)];

        await peers[0].IsClosedAsync();
        Assert.All(peers[1..], peer => Assert.False(peer.Context.ConnectionClosed.IsCancellationRequested));
    }

    [Fact]
    public async Task Beyond_the_connections_that_are_allowed_a_new_one_is_closed_and_those_that_have_proved_who_they_are_stay()
    {
        Peer[] peers = [.. Open(Limits, prove: true, count: 4)];

        await peers[3].IsClosedAsync();
        Assert.All(peers[..3], peer => Assert.False(peer.Context.ConnectionClosed.IsCancellationRequested));
    }

    [Fact]
    public async Task Who_says_nothing_is_closed_when_his_time_is_over()
    {
        Peer peer = Assert.Single(Open(Limits with { ProofTime = TimeSpan.FromMilliseconds(20) }, prove: false, count: 1));

        await peer.IsClosedAsync();
    }

    /// <summary>Connections one after the other, with what stands behind the gate reading messages of a byte each.</summary>
    private IEnumerable<Peer> Open(WireLimits limits, bool prove, int count)
    {
        var gate = new ConnectionGate("port", isTls: false, limits, _pending, new RefusalLog(TimeProvider.System, NullLogger<RefusalLog>.Instance), _memory);
        var port = new ConnectionBuilder(new NoServices());
        gate.Use(port, secure: null);
        var read = new SemaphoreSlim(0);
        port.Run(async context =>
        {
            ReadResult message = await context.Transport.Input.ReadAsync();
            context.Transport.Input.AdvanceTo(message.Buffer.End);
            read.Release();
            await context.Transport.Input.ReadAsync();
        });
        ConnectionDelegate admit = port.Build();
        for (int i = 0; i < count; i++)
        {
            var peer = new Peer(i);
            _ = admit(peer.Context);
            if (prove && i < limits.Connections)
            {
                peer.Say();
                Assert.True(read.Wait(Patience));
            }

            yield return peer;
        }
    }

    private sealed class Peer
    {
        private readonly Pipe _said = new();
        private readonly Pipe _heard = new();

        public Peer(int number) => Context = new DefaultConnectionContext($"{number}") { Transport = new Wire(_said.Reader, _heard.Writer) };

        public DefaultConnectionContext Context { get; }

        public void Say() => _said.Writer.WriteAsync(new byte[] { 1 }).AsTask().Wait(Patience);

        public Task IsClosedAsync()
        {
            var closed = new TaskCompletionSource();
            Context.ConnectionClosed.Register(closed.SetResult);
            return closed.Task.WaitAsync(Patience);
        }
    }

    private sealed record Wire(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }
}
