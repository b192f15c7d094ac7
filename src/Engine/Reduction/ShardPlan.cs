namespace ConvNet.Engine.Reduction;

/// <summary>
/// What one worker does in one step: its non-empty shards, and the order of additions that turns their leaves into the roots
/// of the complete subtrees that it owns. A stack is enough: push a leaf, combine as often as <see cref="LocalShard.Combines"/>
/// says (left operand = the deeper one), and pop a root where <see cref="LocalShard.Root"/> says so.
/// </summary>
public sealed class ShardPlan
{
    public ShardPlan(ShardTree tree, int firstShard, int endShard)
    {
        Tree = tree;
        FirstShard = firstShard;
        EndShard = endShard;
        Roots = [.. tree.Decompose(firstShard, endShard)];
        var shards = new List<LocalShard>();
        int origin = tree.FirstSample(firstShard);
        int depth = 0;
        for (int root = 0; root < Roots.Length; root++)
        {
            Walk(Roots[root], shards, origin, ref depth);
            shards[^1] = shards[^1] with { Root = root };
            depth--;
        }

        Shards = [.. shards];
        FirstBatchPosition = origin;
        Samples = tree.FirstSample(Math.Min(endShard, tree.Shards)) - origin;
    }

    public ShardTree Tree { get; }

    public int FirstShard { get; }

    public int EndShard { get; }

    /// <summary>Position in the global batch of this worker's first sample.</summary>
    public int FirstBatchPosition { get; }

    /// <summary>Samples of this worker in this step; may be 0.</summary>
    public int Samples { get; }

    /// <summary>True if this worker has all samples of the step below one root, which then holds the sums of the whole batch.</summary>
    public bool HasWholeBatch => Roots.Length == 1 && Samples == Tree.Batch;

    public LocalShard[] Shards { get; }

    public TreeNode[] Roots { get; }

    /// <summary>The largest number of partial sums that are alive at once.</summary>
    public int StackDepth { get; private set; }

    private void Walk(TreeNode node, List<LocalShard> shards, int origin, ref int depth)
    {
        if (node.Level == 0)
        {
            shards.Add(new LocalShard(node.Index, Tree.FirstSample(node.Index) - origin, Tree.SampleCount(node.Index), 0, -1));
            depth++;
            StackDepth = Math.Max(StackDepth, depth);
            return;
        }

        bool left = Tree.Exists(node.Left);
        bool right = Tree.Exists(node.Right);
        if (left)
        {
            Walk(node.Left, shards, origin, ref depth);
        }

        if (right)
        {
            Walk(node.Right, shards, origin, ref depth);
        }

        if (left && right)
        {
            shards[^1] = shards[^1] with { Combines = shards[^1].Combines + 1 };
            depth--;
        }
    }
}
