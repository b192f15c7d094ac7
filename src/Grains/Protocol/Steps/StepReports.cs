using ConvNet.Engine.Parameters;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>What has been reported of the open step.</summary>
/// <param name="reporting">Partitions that report: those that own a block.</param>
internal sealed class StepReports(ParameterLayout layout, int partitions, int reporting, bool hasBatchNorm)
{
    public PartitionReport?[] Partitions { get; } = new PartitionReport?[partitions];

    public BatchNormReport? BatchNorm { get; set; }

    public WorkerReport?[] Workers { get; private set; } = [];

    public bool IsComplete =>
        Partitions.Take(reporting).All(report => report is not null)
        && Workers.All(report => report is not null)
        && (BatchNorm is not null || !hasBatchNorm);

    public void Clear(int workers)
    {
        Array.Clear(Partitions);
        BatchNorm = null;
        Workers = new WorkerReport?[workers];
    }

    /// <summary>The sums of all blocks, tensor by tensor; only when complete.</summary>
    public double[] SumByTensor(Func<PartitionReport, double[]> sums)
    {
        var blocks = new double[layout.Blocks.Length];
        for (int block = 0; block < blocks.Length; block++)
        {
            blocks[block] = sums(Partitions[ParameterLayout.PartitionOf(block, partitions)]!)[block / partitions];
        }

        return BlockTree.SumByTensor(layout, blocks);
    }

    /// <summary>Loss and correct answers over the global batch; only when complete.</summary>
    public Metrics SumMetrics(StepNodes nodes)
    {
        var sum = new TreeCompletion<Metrics>(nodes.Tree, Metrics.Combine);
        for (int worker = 0; worker < Workers.Length; worker++)
        {
            foreach ((TreeNode node, Metrics metrics) in nodes.RootsOf(worker).Zip(Workers[worker]!.Roots))
            {
                sum.Offer(node, metrics);
            }
        }

        return sum.Result;
    }

    /// <summary>
    /// What a step computes first: batch norms, from which the others have what is not finite, too; then gradients, of which one behind a loss
    /// that is not finite is no more than where it was seen.
    /// </summary>
    public NonFiniteSource? FindNonFinite(StepNodes nodes, Func<int, string> workerName)
    {
        if (BatchNorm?.NonFinite is { } norm)
        {
            return norm;
        }

        NonFiniteSource? gradient = Partitions.Select(report => report?.NonFinite).Where(source => source is not null).MinBy(source => source!.Order);
        if (Workers.FirstOrDefault(report => !report!.Roots.All(IsFinite)) is not { } bad)
        {
            return gradient;
        }

        int root = Array.FindIndex(bad.Roots, root => !IsFinite(root));
        string what = gradient is null ? "the loss" : $"the loss, then {gradient.What}";
        return new NonFiniteSource(what, workerName(bad.Header.Worker), nodes.SamplesOf(nodes.RootsOf(bad.Header.Worker)[root]));
    }

    /// <summary>In the same order: a worker that sums batch norms wrongly makes the gradients of all others differ.</summary>
    public Disagreement? FindDisagreement() => BatchNorm?.Disagreement
        ?? Partitions.Select(report => report?.Disagreement).Where(found => found is not null).MinBy(found => found!.Order);

    private static bool IsFinite(Metrics root) => double.IsFinite(root.LossSum);
}
