using ConvNet.Client.Cluster;
using ConvNet.Client.Tests.Runs;
using Xunit;

namespace ConvNet.Client.Tests.Cluster;

public sealed class ConnectDeadlineTests
{
    private readonly ManualClock _clock = new();
    private readonly TaskCompletionSource _entering = new();

    [Fact]
    public async Task A_client_goes_on_while_a_silo_answers_and_gives_up_when_none_does()
    {
        int asked = 0;
        Assert.False(await WaitAsync(() => ++asked < 4));
        Assert.Equal((4, 4 * ConnectDeadline.Round), (asked, _clock.Now));
    }

    [Fact]
    public async Task A_client_that_is_answered_and_never_let_in_gives_up_at_last()
    {
        Assert.False(await WaitAsync(() => true));
        Assert.Equal(ConnectDeadline.Longest, _clock.Now);
    }

    [Fact]
    public async Task A_client_that_gets_in_while_silos_answer_asks_no_more()
    {
        int asked = 0;
        Assert.True(await WaitAsync(() =>
        {
            if (++asked == 2)
            {
                _entering.SetResult();
            }

            return true;
        }));
        Assert.Equal(2, asked);
    }

    private Task<bool> WaitAsync(Func<bool> isAnswered) =>
        ConnectDeadline.WaitAsync(_entering.Task, () => Task.FromResult(isAnswered()), _clock, TestContext.Current.CancellationToken);
}
