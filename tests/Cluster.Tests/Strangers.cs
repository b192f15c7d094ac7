using System.Net;
using System.Net.Sockets;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Connections of somebody who does not belong to a cluster.</summary>
internal sealed class Strangers : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>They come from several addresses of the loopback network, as one has too few ports.</summary>
    private const int PortsOfAddress = 1000;

    private readonly List<Socket> _open = [];

    /// <summary>Opens connections, and sends the same on each.</summary>
    /// <param name="first">What they begin with; empty for those that say nothing.</param>
    public async Task ComeAsync(int port, int count, params byte[][] first)
    {
        for (int i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, (byte)(2 + _open.Count / PortsOfAddress)]), 0));
            _open.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            try
            {
                foreach (byte[] part in first)
                {
                    await socket.SendAsync(part);
                }
            }
            catch (SocketException)
            {
                // The silo has closed it already.
            }
        }
    }

    /// <summary>Sends a byte a second on the last connection until the silo closes it.</summary>
    public async Task DribbleAsync(byte value)
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                await _open[^1].SendAsync(new byte[] { value }, deadline.Token);
                await Task.Delay(1000, deadline.Token);
            }
        }
        catch (SocketException)
        {
            // It is closed.
        }
    }

    /// <summary>Waits until the silo has closed every connection.</summary>
    public async Task AreGoneAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        byte[] unread = new byte[4096];
        foreach (Socket socket in _open)
        {
            try
            {
                while (await socket.ReceiveAsync(unread, deadline.Token) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // It is reset.
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"a connection is still open after {Patience.TotalSeconds:F0} s");
            }
        }
    }

    public void Dispose()
    {
        foreach (Socket socket in _open)
        {
            socket.Dispose();
        }
    }
}
