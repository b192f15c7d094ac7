namespace ConvNet.Engine.Reduction;

/// <summary>Loss and correct answers over some samples of a step.</summary>
/// <param name="LossSum">Σ of the samples' cross-entropies, unscaled.</param>
public readonly record struct Metrics(double LossSum, long Correct, long Count)
{
    public static Metrics Combine(Metrics left, Metrics right) =>
        new(left.LossSum + right.LossSum, left.Correct + right.Correct, left.Count + right.Count);
}
