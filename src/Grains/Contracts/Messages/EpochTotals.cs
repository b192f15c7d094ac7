using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>Sums over the samples of the steps of one epoch so far; skipped steps do not count.</summary>
/// <param name="Sums">Losses added in the order of steps.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.EpochTotals")]
public readonly record struct EpochTotals([property: Id(0)] int Epoch, [property: Id(1)] Metrics Sums)
{
    /// <summary>The totals after one more step, which may be the first of another epoch.</summary>
    public EpochTotals Add(int epoch, Metrics step) => new(epoch, epoch == Epoch ? Metrics.Combine(Sums, step) : step);
}
