using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace ConvNet.Silo.Security;

/// <summary>
/// How a client learns whether a silo still answers, and that it was given the wrong port of one: Orleans closes the connection there without a word,
/// and the client would try again and again. The question comes in place of all else on a connection, and is answered to anybody and without TLS; then
/// the connection ends.
/// </summary>
public static class PortQuestion
{
    public const string SiloPort = "silo port", Gateway = "gateway", GatewayInStore = "redis gateway";

    private const int MaxAnswer = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Neither TLS nor Orleans begins so: to Orleans it announces a message of gigabytes.</summary>
    private static ReadOnlySpan<byte> Text => "which port?\n"u8;

    /// <summary>Asks for the port.</summary>
    /// <returns>One of the words above if a silo answers so; anything else is no such silo, or null as nobody is there.</returns>
    public static Task<string?> AskAsync(IPEndPoint peer, CancellationToken cancellation) => AskAsync(peer, Patience, cancellation);

    /// <summary>Whether a silo answers in time. One that closes the connection unheard, as it has many, answers, too.</summary>
    public static async Task<bool> IsAnsweredAsync(IPEndPoint peer, TimeSpan patience, CancellationToken cancellation) =>
        await AskAsync(peer, patience, cancellation) is not null;

    /// <returns>The answer; empty if the connection ends without one; null if nobody is there, or silent.</returns>
    private static async Task<string?> AskAsync(IPEndPoint peer, TimeSpan patience, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(patience);
        bool isConnected = false;
        byte[] answer = new byte[MaxAnswer];
        int length = 0;
        try
        {
            using var socket = new TcpClient(peer.AddressFamily);
            await socket.ConnectAsync(peer, deadline.Token);
            isConnected = true;
            NetworkStream stream = socket.GetStream();
            await stream.WriteAsync(Text.ToArray(), deadline.Token);
            int more;
            do
            {
                more = await stream.ReadAsync(answer.AsMemory(length), deadline.Token);
                length += more;
            }
            while (more > 0 && answer[length - 1] != (byte)'\n');
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return isConnected ? "" : null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }

        return Encoding.ASCII.GetString(answer, 0, length).TrimEnd('\n');
    }

    /// <summary>Whether a connection begins with the question.</summary>
    internal static bool IsIn(ReadOnlySequence<byte> start) => new SequenceReader<byte>(start).IsNext(Text);

    internal static Task AnswerAsync(ConnectionContext context, string port) => Greeting.SayAsync(context, Encoding.ASCII.GetBytes($"{port}\n"));
}
