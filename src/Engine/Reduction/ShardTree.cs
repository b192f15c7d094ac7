namespace ConvNet.Engine.Reduction;

/// <summary>
/// The fixed binary tree in which every sum over samples is evaluated: pairs (0,1), (2,3), …, then pairs of pairs, for the
/// next power of two ≥ S. Which leaves exist follows from (B, S) alone; a node with one existing child is that child's bits.
/// So a sum does not depend on which worker held which shard.
/// </summary>
public sealed class ShardTree
{
    private readonly int[] _first;

    /// <param name="batch">B of this step: samples over all workers; the last batch of an epoch may be smaller.</param>
    /// <param name="shards">S of the job, at least 1.</param>
    public ShardTree(int batch, int shards)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, 1);
        Batch = batch;
        Shards = shards;
        while (1 << Levels < shards)
        {
            Levels++;
        }

        _first = new int[(1 << Levels) + 1];
        for (int shard = 0; shard < _first.Length; shard++)
        {
            _first[shard] = (int)((long)Math.Min(shard, shards) * batch / shards);
        }
    }

    public int Batch { get; }

    public int Shards { get; }

    /// <summary>Levels above the leaves: the root is (Levels, 0).</summary>
    public int Levels { get; }

    public TreeNode Root => new(Levels, 0);

    /// <summary>The batch position of the first sample of a shard: ⌊sB/S⌋.</summary>
    public int FirstSample(int shard) => _first[shard];

    public int SampleCount(int shard) => _first[shard + 1] - _first[shard];

    /// <summary>True if at least one sample lies under this node.</summary>
    public bool Exists(TreeNode node) => _first[node.EndShard] > _first[node.FirstShard];

    /// <summary>
    /// The roots of the complete subtrees that make up shards first … end−1, in shard order, without those that hold no
    /// sample. An owner of the last shard owns the missing leaves up to the power of two as well.
    /// </summary>
    public IReadOnlyList<TreeNode> Decompose(int firstShard, int endShard)
    {
        var roots = new List<TreeNode>();
        int position = firstShard;
        int end = endShard >= Shards ? 1 << Levels : endShard;
        while (position < end)
        {
            int level = 0;
            while (level < Levels && (position & ((1 << (level + 1)) - 1)) == 0 && position + (1 << (level + 1)) <= end)
            {
                level++;
            }

            var node = new TreeNode(level, position >> level);
            if (Exists(node))
            {
                roots.Add(node);
            }

            position += 1 << level;
        }

        return roots;
    }
}
