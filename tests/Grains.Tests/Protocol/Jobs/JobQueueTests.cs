using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class JobQueueTests
{
    private readonly JobQueue _queue = new();

    [Fact]
    public void The_highest_priority_goes_first_and_then_the_earliest_submission()
    {
        QueuedJob[] jobs = [Job("late", 0, 5), Job("early", 0, 3), Job("high", 2, 9), Job("low", -1, 1), Job("higher", 3, 10), Job("high-too", 2, 7)];
        var turns = new List<string>();
        while (jobs.Length > 0)
        {
            foreach (QueuedJob job in jobs)
            {
                _queue.Ask(job, 0);
            }

            // What it was told while it did not know of the others is asked again.
            QueuedJob next = Assert.Single(jobs, job => _queue.Ask(job, 0).Reason is null);
            turns.Add(next.JobId);
            _queue.Leave(next.JobId);
            jobs = [.. jobs.Where(job => job != next)];
        }

        Assert.Equal(["higher", "high-too", "high", "early", "late", "low"], turns);
    }

    [Fact]
    public void Whoever_waits_is_told_its_position_and_who_is_ahead()
    {
        Assert.Equal(new QueueTurn(1, null), _queue.Ask(Job("a", 5, 1), 0));
        Assert.Equal(new QueueTurn(2, "waits for workers: job 'a' of priority 5 is ahead of it."), _queue.Ask(Job("b", 5, 2), 0));
        Assert.Equal(new QueueTurn(3, "waits for workers: job 'a' of priority 5 and 1 more are ahead of it."), _queue.Ask(Job("c", 0, 0), 0));
    }

    [Fact]
    public void Who_asks_no_more_or_leaves_keeps_nobody_waiting()
    {
        _queue.Ask(Job("dead", 1, 1), 0);
        Assert.NotNull(_queue.Ask(Job("b", 0, 2), JobQueue.Patience).Reason);
        Assert.Null(_queue.Ask(Job("b", 0, 2), JobQueue.Patience + 0.1).Reason);
        Assert.NotNull(_queue.Ask(Job("c", 0, 3), JobQueue.Patience + 0.2).Reason);
        _queue.Leave("b");
        Assert.Null(_queue.Ask(Job("c", 0, 3), JobQueue.Patience + 0.2).Reason);
    }

    [Fact]
    public void A_more_important_job_waits_until_the_one_that_takes_workers_asks_again()
    {
        Assert.Null(_queue.Ask(Job("low", 0, 1), 0).Reason);
        Assert.Equal(new QueueTurn(1, "waits for workers: job 'low' is just looking for its own."), _queue.Ask(Job("high", 1, 2), 0.1));
        Assert.Contains("'high' of priority 1", _queue.Ask(Job("low", 0, 1), 0.5).Reason);
        Assert.Null(_queue.Ask(Job("high", 1, 2), 0.6).Reason);
    }

    [Fact]
    public void A_job_that_has_workers_grows_only_before_less_important_ones()
    {
        Assert.True(_queue.MayGrow(0, 0));
        _queue.Ask(Job("waits", 1, 1), 0);
        Assert.False(_queue.MayGrow(0, 0));
        Assert.False(_queue.MayGrow(1, 0));
        Assert.True(_queue.MayGrow(2, 0));
        Assert.True(_queue.MayGrow(0, JobQueue.Patience + 0.1));
    }

    private static QueuedJob Job(string id, int priority, long number) => new(id, priority, number);
}
