using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

public class ShardTreeTests
{
    [Theory]
    [InlineData(10, 4, new[] { 0, 2, 5, 7, 10 })]
    [InlineData(7, 5, new[] { 0, 1, 2, 4, 5, 7 })]
    [InlineData(3, 4, new[] { 0, 0, 1, 2, 3 })]
    [InlineData(0, 3, new[] { 0, 0, 0, 0 })]
    [InlineData(2_000_000_000, 4, new[] { 0, 500_000_000, 1_000_000_000, 1_500_000_000, 2_000_000_000 })]
    public void Shards_cut_the_batch_as_evenly_as_whole_samples_allow(int batch, int shards, int[] first)
    {
        var tree = new ShardTree(batch, shards);

        Assert.Equal(first[..^1], Enumerable.Range(0, shards).Select(tree.FirstSample));
        Assert.Equal(first[1..].Zip(first, (end, start) => end - start), Enumerable.Range(0, shards).Select(tree.SampleCount));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 3)]
    [InlineData(9, 4)]
    public void The_root_spans_the_next_power_of_two(int shards, int levels)
    {
        var tree = new ShardTree(100, shards);

        Assert.Equal(levels, tree.Levels);
        Assert.Equal(new TreeNode(levels, 0), tree.Root);
        Assert.Equal(1 << levels, tree.Root.EndShard);
    }

    [Fact]
    public void Nodes_exist_where_samples_lie_under_them()
    {
        var five = new ShardTree(10, 5);
        Assert.All([new(3, 0), new(2, 1), new(1, 2), new(0, 4)], (TreeNode node) => Assert.True(five.Exists(node), $"{node}"));
        Assert.All([new(0, 5), new(1, 3), new(0, 7)], (TreeNode node) => Assert.False(five.Exists(node), $"{node}"));

        var small = new ShardTree(3, 4);
        Assert.False(small.Exists(new TreeNode(0, 0)));
        Assert.True(small.Exists(new TreeNode(1, 0)));
        Assert.False(new ShardTree(0, 4).Exists(new TreeNode(2, 0)));
    }

    [Theory]
    [InlineData(10, 4, 0, 4, "2.0")]
    [InlineData(10, 4, 0, 3, "1.0 0.2")]
    [InlineData(10, 4, 1, 4, "0.1 1.1")]
    [InlineData(10, 4, 1, 3, "0.1 0.2")]
    [InlineData(10, 4, 2, 2, "")]
    [InlineData(10, 5, 0, 5, "3.0")]
    [InlineData(10, 5, 0, 4, "2.0")]
    [InlineData(10, 5, 4, 5, "2.1")]
    [InlineData(10, 5, 2, 5, "1.1 2.1")]
    [InlineData(100, 8, 1, 7, "0.1 1.1 1.2 0.6")]
    [InlineData(3, 4, 0, 1, "")]
    [InlineData(3, 4, 0, 2, "1.0")]
    public void A_range_of_shards_consists_of_its_largest_subtrees_that_hold_samples(int batch, int shards, int first, int end, string roots) =>
        Assert.Equal(roots, string.Join(' ', new ShardTree(batch, shards).Decompose(first, end)));

    [Fact]
    public void Impossible_sizes_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShardTree(-1, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShardTree(4, 0));
    }
}
