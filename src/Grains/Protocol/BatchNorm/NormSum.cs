using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.BatchNorm;

/// <summary>One sum over the shards per norm and direction, from the roots that workers send, one message each.</summary>
internal sealed class NormSum<T>(ShardTree tree, Func<T, T, T> combine)
    where T : class
{
    private readonly TreeCompletion<T> _sum = new(tree, combine);
    private readonly Dictionary<int, UInt128> _digests = [];

    public T? Total => _sum.Result;

    public Verdict Offer(int worker, TreeNode[] nodes, IReadOnlyList<T> roots, UInt128 digest)
    {
        if (_digests.TryGetValue(worker, out UInt128 known))
        {
            return known == digest ? Verdict.Duplicate : Verdict.Conflict;
        }

        _digests.Add(worker, digest);
        for (int root = 0; root < nodes.Length; root++)
        {
            _sum.Offer(nodes[root], roots[root]);
        }

        return Verdict.Accepted;
    }
}
