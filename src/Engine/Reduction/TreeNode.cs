namespace ConvNet.Engine.Reduction;

/// <summary>
/// A node of the summation tree over data shards. Level 0 is a leaf (one shard); node (level, index) stands for shards
/// index·2^level … (index+1)·2^level − 1.
/// </summary>
public readonly record struct TreeNode(int Level, int Index)
{
    public int FirstShard => Index << Level;

    /// <summary>One past the last shard.</summary>
    public int EndShard => (Index + 1) << Level;

    public TreeNode Left => new(Level - 1, Index * 2);

    public TreeNode Right => new(Level - 1, Index * 2 + 1);

    public override string ToString() => $"{Level}.{Index}";
}
