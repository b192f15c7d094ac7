using ConvNet.Engine.Errors;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Jobs;
using Xunit;

namespace ConvNet.Grains.Tests.Protocol.Jobs;

public class ShardAssignmentTests
{
    [Fact]
    public void Equal_workers_get_equal_shares_in_order()
    {
        Assert.Equal([new(0, 2), new(2, 4)], ShardAssignment.Assign(4, [1, 1]));
        Assert.Equal([1, 2, 1], ShardAssignment.Assign(4, [1, 1, 1]).Select(range => range.Count));
    }

    [Fact]
    public void Faster_workers_get_more()
    {
        Assert.Equal([6, 2], ShardAssignment.Assign(8, [3, 1]).Select(range => range.Count));
    }

    [Fact]
    public void Ranges_are_contiguous_and_never_empty_for_any_weights()
    {
        double[] candidates = [1e-9, 1, 7, 1e9];
        for (int workers = 1; workers <= 4; workers++)
        {
            for (int code = 0; code < 256; code++)
            {
                double[] weights = [.. Enumerable.Range(0, workers).Select(worker => candidates[(code >> (2 * worker)) & 3])];
                ShardRange[] ranges = ShardAssignment.Assign(5, weights);
                Assert.Equal(0, ranges[0].First);
                Assert.Equal(5, ranges[^1].End);
                Assert.All(ranges, range => Assert.True(range.Count >= 1));
                Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.First));
            }
        }
    }

    [Fact]
    public void More_workers_than_shards_are_refused_with_the_remedy()
    {
        var refusal = Assert.Throws<ConvNetException>(() => ShardAssignment.Assign(2, [1, 1, 1]));

        Assert.Equal(ExitCode.BadInput, refusal.ExitCode);
        Assert.Contains("--data-shards", refusal.Message);
        Assert.Throws<ConvNetException>(() => ShardAssignment.Assign(2, [1, 0]));
    }
}
