using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Layers;

/// <summary>What normalization needs of one set of statistics, as floats for each lane; lanes past the last channel stay harmless.</summary>
internal sealed class NormConstants
{
    /// <param name="mean">Per channel.</param>
    /// <param name="variance">Per channel, biased.</param>
    /// <param name="count">Values per channel.</param>
    public NormConstants(Shape shape, double[] mean, double[] variance, long count = 0)
    {
        int lanes = shape.Blocks * 8;
        Count = count;
        MeanHigh = new float[lanes];
        MeanLow = new float[lanes];
        InverseDeviation = new float[lanes];
        MeanDy = new float[lanes];
        MeanDyXhat = new float[lanes];
        for (int c = 0; c < mean.Length; c++)
        {
            MeanHigh[c] = (float)mean[c];
            MeanLow[c] = (float)(mean[c] - MeanHigh[c]);
            InverseDeviation[c] = (float)(1 / Math.Sqrt(variance[c] + BatchNorm.Epsilon));
        }
    }

    public long Count { get; }

    public float[] MeanHigh { get; }

    public float[] MeanLow { get; }

    /// <summary>1/√(σ² + ε).</summary>
    public float[] InverseDeviation { get; }

    /// <summary>Σdy / N.</summary>
    public float[] MeanDy { get; }

    /// <summary>Σdy·x̂ / N.</summary>
    public float[] MeanDyXhat { get; }

    public static NormConstants Of(Shape shape, Moments moments) =>
        new(shape, moments.Mean, Array.ConvertAll(moments.M2, m2 => m2 / moments.Count), moments.Count);

    public void SetBackward(BackwardSums total)
    {
        for (int c = 0; c < total.Dy.Length; c++)
        {
            MeanDy[c] = (float)(total.Dy[c] / Count);
            MeanDyXhat[c] = (float)(total.DyXhat[c] / Count);
        }
    }
}

/// <summary>The constants of one block of 8 channels.</summary>
internal readonly ref struct NormBlock(NormConstants constants, float[] gamma, float[] beta, int block)
{
    public readonly ReadOnlySpan<float> MeanHigh = constants.MeanHigh.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> MeanLow = constants.MeanLow.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> InverseDeviation = constants.InverseDeviation.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> MeanDy = constants.MeanDy.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> MeanDyXhat = constants.MeanDyXhat.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> Gamma = gamma.AsSpan(block * 8, 8);
    public readonly ReadOnlySpan<float> Beta = beta.AsSpan(block * 8, 8);
}
