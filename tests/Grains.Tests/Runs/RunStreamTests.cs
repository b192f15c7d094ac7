using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;
using Xunit;

namespace ConvNet.Grains.Tests.Runs;

public sealed class RunStreamTests
{
    private static readonly RunEvent First = new RunEvent.Warning("first"), Second = new RunEvent.Warning("second");

    [Fact]
    public void Every_sink_gets_every_event_in_order()
    {
        NotingSink one = new(), other = new();
        using var run = new RunStream([one, other]);

        run.Publish(First);
        run.Publish(Second);

        Assert.Equal([First, Second], one.Seen);
        Assert.Equal([First, Second], other.Seen);
    }

    [Fact]
    public void A_sink_that_comes_later_gets_the_events_from_then_on()
    {
        var late = new NotingSink();
        using var run = new RunStream([]);

        run.Publish(First);
        run.Add(late);
        run.Publish(Second);

        Assert.Equal([Second], late.Seen);
    }

    [Fact]
    public void A_sink_that_fails_keeps_the_event_from_no_other_one()
    {
        NotingSink broken = new() { Trouble = new IOException("disk full") }, other = new();
        using var run = new RunStream([broken, other]);

        IOException error = Assert.Throws<IOException>(() => run.Publish(First));

        Assert.Equal("disk full", error.Message);
        Assert.Equal([First], other.Seen);
    }

    [Fact]
    public void Sinks_handle_one_event_at_a_time()
    {
        var sink = new NotingSink();
        using var run = new RunStream([sink]);

        Parallel.For(0, 1000, _ => run.Publish(First));

        Assert.Equal(1000, sink.Seen.Count);
        Assert.False(sink.HasOverlapped);
    }

    [Fact]
    public void The_end_disposes_of_the_sinks_once_and_later_events_are_lost()
    {
        var sink = new NotingSink();
        var run = new RunStream([sink]);

        run.Dispose();
        run.Dispose();
        run.Publish(First);

        Assert.Equal(1, sink.Disposals);
        Assert.Empty(sink.Seen);
    }

    private sealed class NotingSink : RunSink
    {
        private int _inside;

        public List<RunEvent> Seen { get; } = [];

        public Exception? Trouble { get; init; }

        public int Disposals { get; private set; }

        public bool HasOverlapped { get; private set; }

        public override void Handle(RunEvent happened)
        {
            HasOverlapped |= Interlocked.Increment(ref _inside) > 1;
            Seen.Add(happened);
            Interlocked.Decrement(ref _inside);
            if (Trouble is not null)
            {
                throw Trouble;
            }
        }

        protected override void Dispose(bool disposing) => Disposals++;
    }
}
