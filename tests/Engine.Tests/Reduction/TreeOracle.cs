using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Reduction;

/// <summary>The sum over a tree by its definition: a node with one child is that child, otherwise the left one and the right one.</summary>
internal static class TreeOracle
{
    /// <summary>Batches and numbers of shards: even, uneven, with empty shards, and numbers that are no power of two.</summary>
    public static readonly (int Batch, int Shards)[] Jobs = [(8, 4), (10, 4), (3, 4), (1, 4), (5, 1), (7, 5), (2, 5), (13, 6), (40, 8), (9, 11)];

    /// <summary>Every contiguous range of shards that a worker may have.</summary>
    public static IEnumerable<ShardPlan> Plans(ShardTree tree) =>
        from first in Enumerable.Range(0, tree.Shards)
        from end in Enumerable.Range(first, tree.Shards - first + 1)
        select new ShardPlan(tree, first, end);

    public static T Sum<T>(ShardTree tree, TreeNode node, Func<int, T> leaf, Func<T, T, T> combine)
    {
        if (node.Level == 0)
        {
            return leaf(node.Index);
        }

        bool left = tree.Exists(node.Left), right = tree.Exists(node.Right);
        return left && right ? combine(Of(node.Left), Of(node.Right)) : Of(left ? node.Left : node.Right);

        T Of(TreeNode child) => Sum(tree, child, leaf, combine);
    }
}
