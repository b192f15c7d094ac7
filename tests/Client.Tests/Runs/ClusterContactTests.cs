using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class ClusterContactTests
{
    private readonly ManualClock _clock = new();
    private bool _isAnswered = true;
    private int _questions;
    private int[] _denials = [];
    private TimeSpan _takes;
    private readonly List<string> _told = [];

    [Fact]
    public async Task A_grain_that_is_refused_is_given_up_within_seconds_when_nobody_is_asked_about_the_cluster()
    {
        var contact = new ClusterContact(() => "job 'a'", _clock) { Tell = _told.Add };

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => AskAsync(contact, answersAfter: 60));

        Assert.Equal(ExitCode.Environment, error.ExitCode);
        Assert.InRange(_clock.Now.TotalSeconds, 6, 6.5);
        Assert.Empty(_told);
    }

    [Fact]
    public async Task A_grain_is_waited_for_and_that_is_told_once_while_other_silos_of_its_cluster_answer()
    {
        await AskAsync(Contact(), answersAfter: 30);

        Assert.InRange(_clock.Now.TotalSeconds, 30, 31);
        Assert.StartsWith(
            "job 'a' has not answered for 6 s (127.0.0.1:11112 cannot be reached), but a silo of its cluster does; waiting 39 s more", Assert.Single(_told));
        Assert.InRange(_questions, 10, 15);
    }

    [Fact]
    public async Task A_grain_that_nobody_takes_over_is_given_up_although_its_cluster_answers()
    {
        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => AskAsync(Contact(), answersAfter: 600));

        Assert.InRange(_clock.Now.TotalSeconds, 45, 46);
        Assert.StartsWith("job 'a' has not answered for 45 s", error.Message);
    }

    [Fact]
    public async Task A_cluster_that_is_silent_too_does_not_make_anybody_wait()
    {
        _isAnswered = false;

        ConvNetException error = await Assert.ThrowsAsync<ConvNetException>(() => AskAsync(Contact(), answersAfter: 60));

        Assert.InRange(_clock.Now.TotalSeconds, 6, 7);
        Assert.StartsWith("job 'a' has not answered for 6 s", error.Message);
        Assert.Empty(_told);
    }

    [Fact]
    public async Task A_silo_that_is_too_busy_to_answer_once_does_not_end_the_wait()
    {
        _denials = [2, 3, 6];

        await AskAsync(Contact(), answersAfter: 30);

        Assert.Single(_told);
    }

    [Fact]
    public async Task The_wait_is_no_longer_when_asking_the_cluster_takes_time()
    {
        _takes = TimeSpan.FromSeconds(1);

        await Assert.ThrowsAsync<ConvNetException>(() => AskAsync(Contact(), answersAfter: 600));

        Assert.InRange(_clock.Now.TotalSeconds, 45, 47);
    }

    [Fact]
    public async Task Calls_that_time_out_are_told_of_after_fifteen_seconds()
    {
        await AskAsync(Contact(), answersAfter: 40, timesOut: true);

        Assert.StartsWith("job 'a' has not answered for 16 s (calls time out), but a silo of its cluster does; waiting 29 s more", Assert.Single(_told));
    }

    [Fact]
    public async Task Each_silence_is_told_of()
    {
        ClusterContact contact = Contact();

        await AskAsync(contact, answersAfter: 10);
        await AskAsync(contact, answersAfter: 20);

        Assert.Equal(2, _told.Count);
    }

    private ClusterContact Contact() => new(() => "job 'a'", _clock) { Witness = Answers, Tell = _told.Add };

    private Task<bool> Answers()
    {
        _clock.Advance(_takes);
        return Task.FromResult(_isAnswered && !_denials.Contains(++_questions));
    }

    /// <param name="answersAfter">Seconds of the clock; refused before.</param>
    private Task<bool> AskAsync(ClusterContact contact, double answersAfter, bool timesOut = false)
    {
        TimeSpan end = _clock.Now + TimeSpan.FromSeconds(answersAfter);
        return contact.AskAsync(
            () =>
            {
                if (_clock.Now >= end)
                {
                    return Task.FromResult(true);
                }

                _clock.Advance(TimeSpan.FromSeconds(timesOut ? 3 : 0));
                return Task.FromException<bool>(
                    timesOut ? new TimeoutException() : new OrleansException("ConnectionFailedException to S127.0.0.1:11112:3\n   at Orleans"));
            },
            TestContext.Current.CancellationToken);
    }
}
