using System.Net;
using System.Net.Sockets;
using ConvNet.Silo.Security;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class PortQuestionTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100), Long = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Who_takes_the_connection_and_says_nothing_has_not_answered()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        Assert.False(await PortQuestion.IsAnsweredAsync((IPEndPoint)listener.LocalEndpoint, Short, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Nobody_has_not_answered()
    {
        IPEndPoint nobody;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            nobody = (IPEndPoint)listener.LocalEndpoint;
        }

        Assert.False(await PortQuestion.IsAnsweredAsync(nobody, Long, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("gateway\n")]
    [InlineData("redis gateway\n")]
    [InlineData("silo port\n")]
    public async Task Who_answers_or_closes_the_connection_has_answered(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<bool> asking = PortQuestion.IsAnsweredAsync((IPEndPoint)listener.LocalEndpoint, Long, TestContext.Current.CancellationToken);
        using TcpClient peer = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await peer.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
        if (answer.Length == 0)
        {
            peer.Close();
        }

        Assert.True(await asking);
    }
}
