using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace ConvNet.Silo.Security;

/// <summary>
/// How a client learns that it was given the wrong port of a silo: Orleans closes the connection there without a word, and the client would try again
/// and again. The question comes in place of all else on a connection, and is answered to anybody and without TLS; then the connection ends.
/// </summary>
public static class PortQuestion
{
    internal const string SiloPort = "silo port", Gateway = "gateway";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Neither TLS nor Orleans begins so: to Orleans it announces a message of gigabytes.</summary>
    private static ReadOnlySpan<byte> Text => "which port?\n"u8;

    /// <summary>Asks for the port. Whoever does not answer is no such silo, or not there.</summary>
    public static async Task<bool> IsSiloPortAsync(IPEndPoint peer, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        using var socket = new TcpClient(peer.AddressFamily);
        byte[] answer = new byte[SiloPort.Length];
        try
        {
            await socket.ConnectAsync(peer, deadline.Token);
            await socket.GetStream().WriteAsync(Text.ToArray(), deadline.Token);
            await socket.GetStream().ReadExactlyAsync(answer, deadline.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }

        return Encoding.ASCII.GetString(answer) == SiloPort;
    }

    /// <summary>Whether a connection begins with the question.</summary>
    internal static bool IsIn(ReadOnlySequence<byte> start) => new SequenceReader<byte>(start).IsNext(Text);

    internal static Task AnswerAsync(ConnectionContext context, string port) => Greeting.SayAsync(context, Encoding.ASCII.GetBytes($"{port}\n"));
}
