using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Orleans.Connections.Security;

namespace ConvNet.Silo.Security;

/// <summary>
/// How a peer learns whether it would be let in, before anything retries: under TLS 1.3 a server refuses only after its peer believes that all is
/// well, and without a word. Who asks for this protocol gets a few bytes once its certificate is accepted, and the connection ends.
/// </summary>
internal static class Greeting
{
    public static readonly SslApplicationProtocol Protocol = new("convnet-greeting");

    public static ReadOnlySpan<byte> Text => "welcome\n"u8;

    public static ConnectionDelegate Answer(ConnectionDelegate next) => context =>
    {
        PeerTrial.Current = null;
        return context.Features.Get<ITlsApplicationProtocolFeature>() is { } chosen && chosen.ApplicationProtocol.Span.SequenceEqual(Protocol.Protocol.Span)
            ? SayAsync(context, Text.ToArray())
            : next(context);
    };

    /// <summary>
    /// Says something to a peer that asked for nothing else. It closes first: a connection that Orleans closes is reset, which may overtake what was said.
    /// </summary>
    public static async Task SayAsync(ConnectionContext context, byte[] text)
    {
        context.Features.Get<Admission>()?.Greet();
        IDuplexPipe peer = context.Transport;
        peer.Output.Write(text);
        await peer.Output.FlushAsync();
        ReadResult unread;
        do
        {
            unread = await peer.Input.ReadAsync();
            peer.Input.AdvanceTo(unread.Buffer.End);
        }
        while (!unread.IsCompleted && !unread.IsCanceled);
    }
}
