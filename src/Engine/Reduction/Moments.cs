namespace ConvNet.Engine.Reduction;

/// <summary>Count, mean and sum of squared deviations of each channel over some samples: the float64 leaf of batch-norm statistics.</summary>
/// <param name="Count">Values per channel (samples × pixels).</param>
/// <param name="Mean">Per channel.</param>
/// <param name="M2">Per channel: Σ(x − mean)².</param>
public sealed record Moments(long Count, double[] Mean, double[] M2)
{
    /// <summary>
    /// Moments of the union of two disjoint sets.
    /// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    /// </summary>
    public static Moments Combine(Moments left, Moments right)
    {
        long count = left.Count + right.Count;
        var mean = new double[left.Mean.Length];
        var m2 = new double[left.Mean.Length];
        double rightShare = (double)right.Count / count;
        for (int c = 0; c < mean.Length; c++)
        {
            double delta = right.Mean[c] - left.Mean[c];
            mean[c] = left.Mean[c] + delta * rightShare;
            m2[c] = left.M2[c] + right.M2[c] + delta * delta * left.Count * rightShare;
        }

        return new Moments(count, mean, m2);
    }
}

/// <summary>Batch-norm backward sums of each channel: Σdy and Σdy·x̂, in float64. The totals are dβ and dγ.</summary>
public sealed record BackwardSums(double[] Dy, double[] DyXhat)
{
    public static BackwardSums Combine(BackwardSums left, BackwardSums right)
    {
        var dy = new double[left.Dy.Length];
        var dyXhat = new double[left.Dy.Length];
        for (int c = 0; c < dy.Length; c++)
        {
            dy[c] = left.Dy[c] + right.Dy[c];
            dyXhat[c] = left.DyXhat[c] + right.DyXhat[c];
        }

        return new BackwardSums(dy, dyXhat);
    }
}

/// <summary>Loss and correct answers over some samples of a step.</summary>
/// <param name="LossSum">Σ of the samples' cross-entropies, unscaled.</param>
public readonly record struct Metrics(double LossSum, long Correct, long Count)
{
    public static Metrics Combine(Metrics left, Metrics right) =>
        new(left.LossSum + right.LossSum, left.Correct + right.Correct, left.Count + right.Count);
}
