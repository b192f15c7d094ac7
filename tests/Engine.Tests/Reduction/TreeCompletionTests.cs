using ConvNet.Engine.Reduction;
using Xunit;

namespace ConvNet.Engine.Tests.Reduction;

/// <summary>Sums of names, so that the result says who was added to whom.</summary>
public class TreeCompletionTests
{
    [Theory]
    [InlineData(10, 1, "0")]
    [InlineData(10, 2, "(0+1)")]
    [InlineData(10, 3, "((0+1)+2)")]
    [InlineData(10, 4, "((0+1)+(2+3))")]
    [InlineData(10, 5, "(((0+1)+(2+3))+4)")]
    [InlineData(3, 4, "(1+(2+3))")]
    [InlineData(2, 5, "(2+4)")]
    public void The_order_of_arrival_does_not_matter(int batch, int shards, string expected)
    {
        var tree = new ShardTree(batch, shards);
        int[] leaves = [.. Enumerable.Range(0, shards).Where(shard => tree.SampleCount(shard) > 0)];
        foreach (int[] order in Permutations(leaves))
        {
            var sum = new TreeCompletion<string>(tree, Combine);
            foreach (int shard in order)
            {
                Assert.False(sum.IsComplete);
                sum.Offer(new TreeNode(0, shard), $"{shard}");
            }

            Assert.True(sum.IsComplete);
            Assert.Equal(expected, sum.Result);
        }
    }

    [Fact]
    public void Roots_of_whole_subtrees_take_the_place_of_their_leaves()
    {
        var sum = new TreeCompletion<string>(new ShardTree(100, 7), Combine);
        sum.Offer(new TreeNode(2, 1), "c");
        sum.Offer(new TreeNode(0, 3), "b");
        sum.Offer(new TreeNode(1, 0), "a");
        Assert.False(sum.IsComplete);
        sum.Offer(new TreeNode(0, 2), "2");
        Assert.Equal("((a+(2+b))+c)", sum.Result);
    }

    [Fact]
    public void Siblings_are_added_as_soon_as_both_are_there()
    {
        var added = new List<string>();
        var sum = new TreeCompletion<string>(new ShardTree(100, 4), (left, right) =>
        {
            added.Add(Combine(left, right));
            return added[^1];
        });

        sum.Offer(new TreeNode(0, 3), "3");
        sum.Offer(new TreeNode(0, 0), "0");
        Assert.Empty(added);
        sum.Offer(new TreeNode(0, 2), "2");
        Assert.Equal(["(2+3)"], added);
        sum.Offer(new TreeNode(0, 1), "1");
        Assert.Equal(["(2+3)", "(0+1)", "((0+1)+(2+3))"], added);
    }

    private static string Combine(string left, string right) => $"({left}+{right})";

    private static IEnumerable<int[]> Permutations(int[] values) => values.Length == 0
        ? [[]]
        : values.SelectMany(first => Permutations([.. values.Where(value => value != first)]).Select(int[] (rest) => [first, .. rest]));
}
