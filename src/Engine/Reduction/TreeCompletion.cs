namespace ConvNet.Engine.Reduction;

/// <summary>
/// Completes the tree from the subtree roots of several workers, in any order of arrival. It combines siblings as soon as both
/// are there, so that at most one partial sum per worker stays in memory; the shape of the tree, not the order, decides the bits.
/// </summary>
/// <param name="combine">Called as combine(left, right); may reuse the left value's memory for the result.</param>
public sealed class TreeCompletion<T>(ShardTree tree, Func<T, T, T> combine)
{
    private readonly Dictionary<TreeNode, T> _staged = [];

    /// <summary>True when the value of the whole tree is known.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The value of the whole tree; valid when <see cref="IsComplete"/>.</summary>
    public T? Result { get; private set; }

    /// <summary>Adds the value of one existing node. The caller has made sure that no node is offered twice or overlaps another.</summary>
    public void Offer(TreeNode node, T value)
    {
        while (node != tree.Root)
        {
            var parent = new TreeNode(node.Level + 1, node.Index >> 1);
            bool isLeft = (node.Index & 1) == 0;
            TreeNode sibling = isLeft ? parent.Right : parent.Left;
            if (tree.Exists(sibling))
            {
                if (!_staged.Remove(sibling, out T? other))
                {
                    _staged.Add(node, value);
                    return;
                }

                value = isLeft ? combine(value, other) : combine(other, value);
            }

            node = parent;
        }

        Result = value;
        IsComplete = true;
    }
}
