using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>
/// Has the runtime of another process collect all its garbage, by the diagnostics port that each .NET process has: a session that asks for a collection
/// begins with one. Messages are "DOTNET_IPC_V1", 0, size, command set and command, 0, then the payload; numbers are little-endian.
/// </summary>
internal static class GarbageCollection
{
    private const byte EventPipe = 2, StopTracing = 1, CollectTracing = 2;
    private const int HeaderLength = 20, Informational = 4;
    private const long Collect = 0x800000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static async Task ForceAsync(int process)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await using NetworkStream events = await ConnectAsync(process, deadline.Token);
        ulong session = await AskAsync(events, CollectTracing, Session(), deadline.Token);
        Task drained = events.CopyToAsync(Stream.Null, deadline.Token);
        await using NetworkStream order = await ConnectAsync(process, deadline.Token);
        await AskAsync(order, StopTracing, BitConverter.GetBytes(session), deadline.Token);
        await drained;
    }

    private static async Task<NetworkStream> ConnectAsync(int process, CancellationToken cancellation)
    {
        string path = Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{process}-*-socket").Single();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <returns>The number of the session.</returns>
    private static async Task<ulong> AskAsync(NetworkStream port, byte command, byte[] payload, CancellationToken cancellation)
    {
        byte[] size = BitConverter.GetBytes((ushort)(HeaderLength + payload.Length));
        await port.WriteAsync((byte[])[.. "DOTNET_IPC_V1\0"u8, .. size, EventPipe, command, 0, 0, .. payload], cancellation);
        byte[] answer = new byte[HeaderLength + sizeof(ulong)];
        await port.ReadExactlyAsync(answer, cancellation);
        Assert.True(answer[17] == 0, $"the runtime refuses command {command}");
        return BitConverter.ToUInt64(answer, HeaderLength);
    }

    /// <summary>A buffer of 1 MB, the format nettrace, and one provider without arguments.</summary>
    private static byte[] Session()
    {
        const string Provider = "Microsoft-Windows-DotNETRuntime\0";
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(1);
        writer.Write(1);
        writer.Write(1);
        writer.Write(Collect);
        writer.Write(Informational);
        writer.Write(Provider.Length);
        writer.Write(Encoding.Unicode.GetBytes(Provider));
        writer.Write(0);
        writer.Flush();
        return bytes.ToArray();
    }
}
