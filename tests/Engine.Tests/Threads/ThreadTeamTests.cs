using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Engine.Tests.Threads;

public class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_of_many_short_runs_is_done_once_before_its_run_returns(int threads)
    {
        using var team = new ThreadTeam(threads);
        var times = new int[13];
        Action<int, int> count = (item, _) => Interlocked.Increment(ref times[item]);
        for (int run = 1; run <= 20_000; run++)
        {
            int items = run % times.Length + 1;
            Array.Clear(times);
            team.Run(items, count);
            for (int item = 0; item < times.Length; item++)
            {
                if (times[item] != (item < items ? 1 : 0))
                {
                    Assert.Fail($"item {item} of {items} ran {times[item]} times in run {run}");
                }
            }
        }
    }

    [Fact]
    public void Threads_that_have_gone_to_sleep_wake_up_again()
    {
        using var team = new ThreadTeam(3);
        for (int run = 0; run < 20; run++)
        {
            // Each item waits for the others, so it takes all three threads; the pauses are longer than anybody looks for work.
            using var meeting = new Barrier(3);
            var met = new bool[3];
            team.Run(3, (item, _) => met[item] = meeting.SignalAndWait(TimeSpan.FromSeconds(20)));
            Assert.DoesNotContain(false, met);
            Thread.Sleep(5);
        }
    }

    [Fact]
    public void Each_thread_has_a_number_of_its_own_below_the_size()
    {
        using var team = new ThreadTeam(3);
        using var meeting = new Barrier(3);
        var numbers = new int[3];
        team.Run(3, (item, thread) =>
        {
            numbers[item] = thread;
            meeting.SignalAndWait(TimeSpan.FromSeconds(20));
        });
        Assert.Equal([0, 1, 2], numbers.Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_exception_reaches_the_caller_and_the_team_goes_on(int threads)
    {
        using var team = new ThreadTeam(threads);
        for (int run = 0; run < 200; run++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => team.Run(50, (item, _) =>
            {
                if (item == 20)
                {
                    throw new InvalidOperationException("item 20");
                }
            }));
            Assert.Equal("item 20", error.Message);
            int done = 0;
            team.Run(50, (_, _) => Interlocked.Increment(ref done));
            Assert.Equal(50, done);
        }
    }
}
