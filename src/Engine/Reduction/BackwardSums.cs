namespace ConvNet.Engine.Reduction;

/// <summary>Batch-norm backward sums of each channel: Σdy and Σdy·x̂, in float64. The totals are dβ and dγ.</summary>
public sealed record BackwardSums(double[] Dy, double[] DyXhat)
{
    public static BackwardSums Combine(BackwardSums left, BackwardSums right) =>
        Merge(left, right, new BackwardSums(new double[left.Dy.Length], new double[left.Dy.Length]));

    /// <summary>The same in the memory of <paramref name="left"/>, which it returns.</summary>
    public static BackwardSums Absorb(BackwardSums left, BackwardSums right) => Merge(left, right, left);

    private static BackwardSums Merge(BackwardSums left, BackwardSums right, BackwardSums into)
    {
        for (int c = 0; c < into.Dy.Length; c++)
        {
            into.Dy[c] = left.Dy[c] + right.Dy[c];
            into.DyXhat[c] = left.DyXhat[c] + right.DyXhat[c];
        }

        return into;
    }
}
