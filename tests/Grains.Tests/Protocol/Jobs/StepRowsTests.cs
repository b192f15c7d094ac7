using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class StepRowsTests
{
    private readonly StepRows _rows = new();

    [Fact]
    public void Increments_that_overlap_or_come_again_leave_each_step_once()
    {
        _rows.Add(Rows(0, 3));
        _rows.Add(Rows(0, 5));
        _rows.Add(Rows(2, 4));
        _rows.Add(Rows(5, 6));

        Assert.Equal(Rows(0, 6), _rows.All);
        Assert.Equal(5, _rows.Last.Step);
    }

    [Fact]
    public void The_newest_two_thousand_stay()
    {
        _rows.Add(Rows(0, 2100));

        Assert.Equal(Rows(100, 2100), _rows.All);
    }

    private static StepRow[] Rows(int first, int end) =>
        [.. Enumerable.Range(first, end - first).Select(step => new StepRow(step, 1, 0.5, 0.1, 2, 0.25))];
}
