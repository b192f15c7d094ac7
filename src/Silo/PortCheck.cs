using System.Net;
using System.Net.Sockets;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Clustering;

namespace ConvNet.Silo;

/// <summary>
/// Refuses ports that somebody holds. Orleans binds with address reuse, which on Linux lets a second silo take a port away from a
/// live one.
/// </summary>
internal static class PortCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <exception cref="ConvNetException">A port is taken (exit code 4), two are the same, or the address is another machine's (3).</exception>
    public static void Run(SiloPorts ports, int? http)
    {
        if (http == ports.Silos || http == ports.Clients)
        {
            throw ConvNetException.BadInput($"--http {http} is also the port for silos or clients; choose another.");
        }

        if (ports.Silos == ports.Clients)
        {
            throw ConvNetException.BadInput($"--port and --gateway are both {ports.Silos}; a silo needs two ports.");
        }

        RefuseTaken("--port", new IPEndPoint(ports.Listen, ports.Silos));
        RefuseTaken("--gateway", new IPEndPoint(ports.Listen, ports.Clients));
        if (http is { } port)
        {
            RefuseTaken("--http", new IPEndPoint(ports.Listen, port));
        }
    }

    private static void RefuseTaken(string option, IPEndPoint endpoint)
    {
        if (!IsOurs(endpoint.Address))
        {
            throw ConvNetException.BadInput(
                $"{endpoint.Address} is not an address of this machine, so no silo can listen there; name one of this machine's addresses, or 127.0.0.1, " +
                "in the URL of a dev:// cluster, or with --listen for a redis:// one.");
        }

        string? trouble = Answers(endpoint) ? "another process listens there" : BindTrouble(endpoint);
        if (trouble is not null)
        {
            throw new ConvNetException(
                ExitCode.Environment,
                $"{option} {endpoint.Port} cannot be used on {endpoint.Address}: {trouble}; " +
                $"choose a free port with {option}, or stop the process that has it.");
        }
    }

    private static bool IsOurs(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return false;
        }
    }

    private static string? BindTrouble(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.ExclusiveAddressUse = true;
            socket.Bind(endpoint);
            socket.Listen(1);
            return null;
        }
        catch (SocketException e)
        {
            return e.Message;
        }
    }

    private static bool Answers(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            return socket.ConnectAsync(endpoint).Wait(Patience);
        }
        catch (AggregateException e) when (e.InnerException is SocketException)
        {
            return false;
        }
    }
}
