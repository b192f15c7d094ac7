using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using Xunit;

namespace ConvNet.Client.Tests.Runs;

public sealed class ClusterContactTests
{
    private readonly ManualClock _clock = new();
    private bool _isAnswered = true;
    private int _questions;
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
        Assert.StartsWith("job 'a' has not answered for 6 s (127.0.0.1:11112 cannot be reached), but its cluster does;", Assert.Single(_told));
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

        Assert.InRange(_clock.Now.TotalSeconds, 6, 6.5);
        Assert.StartsWith("job 'a' has not answered for 6 s", error.Message);
        Assert.Empty(_told);
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
        _questions++;
        return Task.FromResult(_isAnswered);
    }

    /// <param name="answersAfter">Seconds of the clock; refused before.</param>
    private Task<bool> AskAsync(ClusterContact contact, double answersAfter)
    {
        TimeSpan end = _clock.Now + TimeSpan.FromSeconds(answersAfter);
        return contact.AskAsync(
            () => _clock.Now >= end
                ? Task.FromResult(true)
                : Task.FromException<bool>(new OrleansException("ConnectionFailedException to S127.0.0.1:11112:3\n   at Orleans")),
            TestContext.Current.CancellationToken);
    }
}
