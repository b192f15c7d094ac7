namespace ConvNet.Engine.Reduction;

/// <summary>Count, mean and sum of squared deviations of each channel over some samples: the float64 leaf of batch-norm statistics.</summary>
/// <param name="Count">Values per channel (samples × pixels).</param>
/// <param name="Mean">Per channel.</param>
/// <param name="M2">Per channel: Σ(x − mean)².</param>
public sealed record Moments(long Count, double[] Mean, double[] M2)
{
    public long Count { get; set; } = Count;

    /// <summary>
    /// Moments of the union of two disjoint sets.
    /// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    /// </summary>
    public static Moments Combine(Moments left, Moments right) =>
        Merge(left, right, new Moments(0, new double[left.Mean.Length], new double[left.Mean.Length]));

    /// <summary>The same in the memory of <paramref name="left"/>, which it returns.</summary>
    public static Moments Absorb(Moments left, Moments right) => Merge(left, right, left);

    private static Moments Merge(Moments left, Moments right, Moments into)
    {
        long count = left.Count + right.Count;
        double rightShare = (double)right.Count / count;
        for (int c = 0; c < into.Mean.Length; c++)
        {
            double delta = right.Mean[c] - left.Mean[c];
            into.M2[c] = left.M2[c] + right.M2[c] + delta * delta * left.Count * rightShare;
            into.Mean[c] = left.Mean[c] + delta * rightShare;
        }

        into.Count = count;
        return into;
    }
}
