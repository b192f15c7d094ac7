using System.Net;
using System.Net.Sockets;

namespace ConvNet.Cluster.Tests;

/// <summary>Stands before a port, and passes on what is said there in both directions, until it keeps it to itself.</summary>
internal sealed class FreezingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _frozen = new();
    private readonly List<TcpClient> _open = [];

    public FreezingRelay(int port)
    {
        _listener.Start();
        _ = AcceptAsync(port);
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>From now on connections are taken, kept, and nothing is said on them.</summary>
    public Task FreezeAsync() => _frozen.CancelAsync();

    public void Dispose()
    {
        _listener.Dispose();
        foreach (TcpClient connection in _open)
        {
            connection.Dispose();
        }

        _frozen.Dispose();
    }

    private async Task AcceptAsync(int port)
    {
        while (!_frozen.IsCancellationRequested)
        {
            TcpClient from = await _listener.AcceptTcpClientAsync(_frozen.Token);
            var to = new TcpClient();
            _open.AddRange([from, to]);
            await to.ConnectAsync(IPAddress.Loopback, port, _frozen.Token);
            _ = PassAsync(from, to);
            _ = PassAsync(to, from);
        }
    }

    private async Task PassAsync(TcpClient from, TcpClient to)
    {
        await from.GetStream().CopyToAsync(to.GetStream(), _frozen.Token);
        to.Client.Shutdown(SocketShutdown.Send);
    }
}
