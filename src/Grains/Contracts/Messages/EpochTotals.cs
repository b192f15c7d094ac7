using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Sums over the samples of the steps of one epoch so far; skipped steps do not count.</summary>
/// <param name="LossSum">Added in the order of steps.</param>
public sealed record EpochTotals(int Epoch, double LossSum, long Correct, long Count)
{
    /// <summary>The totals after one more step, which may be the first of another epoch.</summary>
    public EpochTotals Add(int epoch, Metrics step) => epoch == Epoch
        ? new EpochTotals(epoch, LossSum + step.LossSum, Correct + step.Correct, Count + step.Count)
        : new EpochTotals(epoch, step.LossSum, step.Correct, step.Count);
}
