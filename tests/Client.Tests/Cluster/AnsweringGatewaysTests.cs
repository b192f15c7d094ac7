using System.Net;
using ConvNet.Client.Cluster;
using Orleans.Messaging;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class AnsweringGatewaysTests : IGatewayListProvider
{
    private static readonly Uri First = Gateway(1), Second = Gateway(2), Third = Gateway(3);
    private readonly List<int> _silent = [];
    private readonly AnsweringGateways _gateways;
    private Uri[] _told = [First, Second, Third];
    private int _questions;

    public AnsweringGatewaysTests() => _gateways = new AnsweringGateways(this, AnswersAsync, new FixedClock(DateTimeOffset.UnixEpoch));

    public TimeSpan MaxStaleness => TimeSpan.Zero;

    public bool IsUpdatable => true;

    Task IGatewayListProvider.InitializeGatewayListProvider() => Task.CompletedTask;

    Task<IList<Uri>> IGatewayListProvider.GetGateways() => Task.FromResult<IList<Uri>>(_told);

    [Fact]
    public async Task A_gateway_that_is_silent_is_left_out_until_it_answers()
    {
        _silent.Add(2);
        Assert.Equal([First, Third], await _gateways.GetGateways());

        _silent.Clear();
        await UntilAsync([First, Second, Third]);
    }

    [Fact]
    public async Task A_gateway_that_falls_silent_is_left_out_when_somebody_doubts()
    {
        Assert.Equal([First, Second, Third], await _gateways.GetGateways());
        _silent.Add(1);
        Assert.Equal([First, Second, Third], await _gateways.GetGateways());
        Assert.Equal(3, _questions);

        _gateways.Doubt();
        await UntilAsync([Second, Third]);
    }

    [Fact]
    public async Task All_are_used_when_none_answers_and_what_the_cluster_tells_no_more_is_forgotten()
    {
        _silent.AddRange([1, 2]);
        _told = [First, Second];
        Assert.Equal(_told, await _gateways.GetGateways());
        Assert.StartsWith("no gateway answers: 127.0.0.1:1 since ", _gateways.Describe());

        _told = [First, Third];
        Assert.Equal([Third], await _gateways.GetGateways());
        Assert.DoesNotContain("127.0.0.1:2", _gateways.Describe());
    }

    [Fact]
    public async Task A_cluster_answers_while_one_of_its_gateways_does()
    {
        _silent.AddRange([1, 2]);
        await _gateways.GetGateways();
        Assert.True(await _gateways.AnyAnswersAsync());

        _silent.Add(3);
        Assert.False(await _gateways.AnyAnswersAsync());

        _silent.Remove(2);
        Assert.True(await _gateways.AnyAnswersAsync());
    }

    [Fact]
    public async Task Doubts_do_not_ask_while_the_gateways_are_being_asked()
    {
        var held = new TaskCompletionSource<bool>();
        int asked = 0;
        var gateways = new AnsweringGateways(
            this,
            _ =>
            {
                Interlocked.Increment(ref asked);
                return held.Task;
            },
            TimeProvider.System);
        Task<IList<Uri>> first = gateways.GetGateways();
        for (int i = 0; i < 100; i++)
        {
            gateways.Doubt();
        }

        held.SetResult(true);
        await first;
        Assert.Equal(3, asked);
    }

    [Theory]
    [InlineData(3, new int[0], "calls time out, but all 3 gateways take connections")]
    [InlineData(3, new[] { 2 }, "no answer from gateway 127.0.0.1:2 since HH:00:00; the other 2 answer")]
    [InlineData(6, new[] { 1, 2, 3, 4, 5 }, "1 more; the other 1 answer")]
    public async Task A_call_that_times_out_says_who_is_silent_and_since_when(int count, int[] silent, string words)
    {
        _told = [.. Enumerable.Range(1, count).Select(Gateway)];
        _silent.AddRange(silent);
        await _gateways.GetGateways();

        string hour = $"{DateTimeOffset.UnixEpoch.ToLocalTime():HH:mm:ss}";
        Assert.EndsWith(words.Replace("HH:00:00", hour, StringComparison.Ordinal), _gateways.Describe());
    }

    private Task<bool> AnswersAsync(IPEndPoint gateway)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult(!_silent.Contains(gateway.Port));
    }

    /// <summary>The gateways are asked in the background.</summary>
    private async Task UntilAsync(Uri[] expected)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!expected.SequenceEqual(await _gateways.GetGateways()))
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private static Uri Gateway(int port) => new($"gwy.tcp://127.0.0.1:{port}/0");
}
