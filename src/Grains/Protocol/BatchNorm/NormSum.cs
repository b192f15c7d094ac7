using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>One sum over the shards per norm and direction, from the roots that workers send, one message each.</summary>
internal sealed class NormSum<T>(ShardTree tree, Func<T, T, T> combine)
    where T : class
{
    private readonly TreeCompletion<T> _sum = new(tree, combine);
    private readonly Dictionary<int, Fingerprint[]> _prints = [];

    public T? Total => _sum.Result;

    /// <summary>What a worker has sent, root by root; null: nothing yet.</summary>
    public Fingerprint[]? PrintsOf(int worker) => _prints.GetValueOrDefault(worker);

    /// <param name="prints">Of the roots.</param>
    public Verdict Offer(int worker, TreeNode[] nodes, IReadOnlyList<T> roots, Fingerprint[] prints)
    {
        if (_prints.TryGetValue(worker, out Fingerprint[]? known))
        {
            return known.SequenceEqual(prints) ? Verdict.Duplicate : Verdict.Conflict;
        }

        _prints.Add(worker, prints);
        for (int root = 0; root < nodes.Length; root++)
        {
            _sum.Offer(nodes[root], roots[root]);
        }

        return Verdict.Accepted;
    }
}
