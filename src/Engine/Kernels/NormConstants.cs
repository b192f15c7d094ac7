namespace ConvNet.Engine.Kernels;

/// <summary>
/// What normalization needs of one set of statistics, as floats for each lane; lanes past the last channel are zero.
/// x̂ = ((x − MeanHigh) − MeanLow)·InverseDeviation, and dx = DyScale·dy − DyShift − x̂·XhatScale.
/// </summary>
internal sealed class NormConstants(int lanes)
{
    public float[] MeanHigh { get; } = new float[lanes];

    public float[] MeanLow { get; } = new float[lanes];

    /// <summary>1/√(σ² + ε).</summary>
    public float[] InverseDeviation { get; } = new float[lanes];

    /// <summary>γ·invstd.</summary>
    public float[] DyScale { get; } = new float[lanes];

    /// <summary>invstd·Σγ·dy / N.</summary>
    public float[] DyShift { get; } = new float[lanes];

    /// <summary>invstd·Σγ·dy·x̂ / N.</summary>
    public float[] XhatScale { get; } = new float[lanes];

    /// <param name="variance">Biased.</param>
    public void Set(int lane, double mean, double variance, double epsilon)
    {
        MeanHigh[lane] = (float)mean;
        MeanLow[lane] = (float)(mean - MeanHigh[lane]);
        InverseDeviation[lane] = (float)(1 / Math.Sqrt(variance + epsilon));
    }

    /// <param name="meanDy">Σγ·dy / N over all values that share this lane's statistics.</param>
    /// <param name="meanDyXhat">Σγ·dy·x̂ / N over the same.</param>
    public void SetBackward(int lane, double gamma, double meanDy, double meanDyXhat)
    {
        double inverse = InverseDeviation[lane];
        DyScale[lane] = (float)(gamma * inverse);
        DyShift[lane] = (float)(meanDy * inverse);
        XhatScale[lane] = (float)(meanDyXhat * inverse);
    }
}
