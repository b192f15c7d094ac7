using ConvNet.Engine.Data;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Training;

/// <summary>
/// Evaluation on fixed blocks of test samples, summed over a block tree, each sample counted once: the result does not depend on
/// who evaluates which block.
/// </summary>
public static class Evaluation
{
    /// <summary>Test samples in a block; part of the numerics.</summary>
    public const int BlockSamples = 250;

    /// <summary>Samples in one pass, whose losses are summed in order before they join the block's; part of the numerics, too.</summary>
    private const int PassSamples = 50;

    public static int BlockCount(int samples) => (samples + BlockSamples - 1) / BlockSamples;

    /// <summary>Loss and correct answers of one block, its samples summed in order.</summary>
    /// <param name="runner">After <see cref="ModelRunner.PrepareEvaluation"/>.</param>
    /// <param name="test">Fills inputs from the test set, without augmentation.</param>
    /// <param name="samples">In the whole test set.</param>
    public static Metrics EvaluateBlock(ModelRunner runner, BatchFiller test, int samples, int block)
    {
        int end = Math.Min(samples, (block + 1) * BlockSamples);
        var sum = default(Metrics);
        for (int first = block * BlockSamples; first < end; first += PassSamples)
        {
            int count = Math.Min(PassSamples, end - first);
            int[] indices = [.. Enumerable.Range(first, count)];
            var labels = new int[count];
            test.Fill(seed: 0, epoch: 0, indices, runner.Input(count), labels);
            sum = Metrics.Combine(sum, runner.Evaluate(count, labels));
        }

        return sum;
    }

    /// <summary>Sums the blocks of the whole test set over the block tree.</summary>
    public static Metrics Sum(IReadOnlyList<Metrics> blocks)
    {
        var tree = new ShardTree(blocks.Count, blocks.Count);
        var completion = new TreeCompletion<Metrics>(tree, Metrics.Combine);
        for (int block = 0; block < blocks.Count; block++)
        {
            completion.Offer(new TreeNode(0, block), blocks[block]);
        }

        return completion.Result;
    }
}
