using System.Net;
using ConvNet.Silo.Security;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ConvNet.Client.Tests.Security;

public sealed class RefusalLogTests
{
    [Fact]
    public void A_peer_that_comes_again_and_again_is_told_of_once_a_minute()
    {
        var clock = new SteppedClock();
        var lines = new Lines();
        var log = new RefusalLog(clock, lines);

        for (int i = 0; i < 5; i++)
        {
            log.Tell("gateway", new IPEndPoint(IPAddress.Parse("10.0.0.7"), 1000 + i), "it shows no certificate");
        }

        log.Tell("gateway", new IPEndPoint(IPAddress.Parse("10.0.0.8"), 1), "it shows no certificate");
        clock.Seconds = 61;
        log.Tell("silo port", new IPEndPoint(IPAddress.Parse("10.0.0.7"), 1005), "it does not speak TLS");

        Assert.Equal(
            [
                "The gateway refused 10.0.0.7:1000: it shows no certificate; 0 more from its address have not been told of",
                "The gateway refused 10.0.0.8:1: it shows no certificate; 0 more from its address have not been told of",
                "The silo port refused 10.0.0.7:1005: it does not speak TLS; 4 more from its address have not been told of",
            ],
            lines);
    }

    [Fact]
    public void Many_addresses_neither_fill_the_log_nor_the_memory()
    {
        var lines = new Lines();
        var log = new RefusalLog(new SteppedClock(), lines);

        for (int i = 0; i < 5000; i++)
        {
            log.Tell("gateway", new IPEndPoint(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), 1), "it shows no certificate");
        }

        Assert.Equal(1025, lines.Count);
    }

    private sealed class SteppedClock : TimeProvider
    {
        public int Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    private sealed class Lines : List<string>, ILogger<RefusalLog>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add(formatter(state, exception));
    }
}
