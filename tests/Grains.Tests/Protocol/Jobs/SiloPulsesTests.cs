using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class SiloPulsesTests
{
    private readonly SiloPulses _pulses = new();

    public SiloPulsesTests() => _pulses.Watch(["a", "b"], 10);

    [Fact]
    public void A_silo_that_has_not_answered_for_three_seconds_is_lost_with_the_time()
    {
        _pulses.Heard("a", 11);
        Assert.Empty(_pulses.Lost(13));
        Assert.Equal([("b", "has not answered for 3.2 s")], _pulses.Lost(13.2));
        _pulses.Heard("b", 13.3);
        Assert.Empty(_pulses.Lost(13.4));
    }

    [Fact]
    public void A_refused_connection_counts_when_a_call_made_after_it_is_refused_too()
    {
        _pulses.Heard("b", 11);
        _pulses.Refused("b", 11.0, 11.2);
        _pulses.Refused("b", 11.1, 11.2);
        Assert.Empty(_pulses.Lost(11.3));
        _pulses.Refused("b", 11.3, 11.4);
        Assert.Equal([("b", "cannot be connected any more, and has not answered for 0.5 s")], _pulses.Lost(11.5));
    }

    [Fact]
    public void An_answer_between_two_refusals_makes_up_for_the_first()
    {
        _pulses.Refused("b", 11, 11.2);
        _pulses.Heard("b", 11.3);
        _pulses.Refused("b", 11.4, 11.5);
        Assert.Empty(_pulses.Lost(11.6));
    }

    [Fact]
    public void Who_has_no_part_in_the_job_any_more_is_not_watched_and_a_later_one_is_from_then_on()
    {
        _pulses.Watch(["a"], 12);
        _pulses.Heard("b", 12);
        _pulses.Refused("b", 12, 12);
        _pulses.Heard("a", 20);
        Assert.Empty(_pulses.Lost(20));
        _pulses.Watch(["a", "b"], 20);
        Assert.Empty(_pulses.Lost(22));
        Assert.Equal(2, _pulses.Lost(23.5).Count());
    }
}
