using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>Which subtree roots each worker sends in one step: a pure function of (B of the step, S, assignment).</summary>
internal sealed class StepNodes
{
    private readonly TreeNode[][] _roots;

    public StepNodes(JobShape job, Assignment assignment, long step)
    {
        Tree = job.TreeOf(step);
        _roots = [.. assignment.Workers.Select(worker => Tree.Decompose(worker.Shards.First, worker.Shards.End).ToArray())];
    }

    public ShardTree Tree { get; }

    public int Workers => _roots.Length;

    public TreeNode[] RootsOf(int worker) => _roots[worker];

    public bool Sends(int worker, TreeNode node) => Array.IndexOf(_roots[worker], node) >= 0;

    public SampleRange SamplesOf(TreeNode node)
    {
        int end = Math.Min(node.EndShard, Tree.Shards);
        return new SampleRange(new ShardRange(node.FirstShard, end), Tree.FirstSample(node.FirstShard), Tree.FirstSample(end));
    }
}
