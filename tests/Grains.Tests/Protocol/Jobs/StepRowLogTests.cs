using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class StepRowLogTests
{
    [Fact]
    public void Rows_that_are_told_again_are_kept_once_and_read_in_order_from_any_cursor()
    {
        var log = new StepRowLog();
        log.Add(Rows(7, 20));
        log.Add(Rows(7, 30));
        log.Add(Rows(10, 20));

        Assert.Equal(Enumerable.Range(7, 23).Select(step => (long)step), log.Since(0).Select(row => row.Step));
        Assert.Equal([28, 29], log.Since(28).Select(row => row.Step));
        Assert.Empty(log.Since(30));
        Assert.Equal(30, log.Next);
    }

    [Fact]
    public void One_answer_has_a_bounded_number_of_rows_and_the_next_one_goes_on_behind_it()
    {
        var log = new StepRowLog();
        log.Add(Rows(0, JobStatus.MostRows + 5));

        StepRow[] first = log.Since(0);

        Assert.Equal(JobStatus.MostRows, first.Length);
        Assert.Equal(5, log.Since(first[^1].Step + 1).Length);
    }

    [Fact]
    public void The_log_is_bounded_and_drops_the_oldest_rows()
    {
        var log = new StepRowLog();
        log.Add(Rows(0, StepRowLog.Most + 10));
        Assert.Equal(10, log.Since(0)[0].Step);
    }

    private static IEnumerable<StepRow> Rows(int first, int end) =>
        Enumerable.Range(first, end - first).Select(step => new StepRow(step, 1, 0.5, 0.1, 2, 0.01));
}
