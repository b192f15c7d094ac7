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

    /// <summary>In the order of a step: loss, then batch norms, then gradients in the model's backward order of partitions.</summary>
    public NonFiniteSource? FindNonFinite(Func<int, string> workerName)
    {
        WorkerReport? bad = Workers.FirstOrDefault(report => report!.Roots.Any(root => !double.IsFinite(root.LossSum)));
        return bad is not null
            ? new NonFiniteSource("the loss", workerName(bad.Header.Worker))
            : BatchNorm?.NonFinite ?? Partitions.Select(report => report?.NonFinite).FirstOrDefault(source => source is not null);
    }
}
