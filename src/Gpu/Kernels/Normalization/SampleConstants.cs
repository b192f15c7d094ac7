using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// The constants of layer, group and instance norm: statistics over groups of consecutive channels of one sample, whose channels are merged in their
/// order, in double, as the engine's SampleStatistics does. An item is a group of a sample; the sample's number is its set.
/// </summary>
internal static class SampleConstants
{
    /// <summary>From the channels' mean and M2 those of the groups.</summary>
    /// <param name="size">Channels of a group.</param>
    public static void Forward(
        Index1D i, ArrayView<Float64> means, ArrayView<Float64> m2s, ArrayView<Float32> constants, int lanes, int groups, int size, int area)
    {
        int n = i / groups;
        int first = (i - n * groups) * size;
        int sums = n * lanes + first;
        Float64 mean = means[sums], m2 = m2s[sums];
        for (int c = 1; c < size; c++)
        {
            ShardStatistics.Absorb(means[sums + c], m2s[sums + c], (long)c * area, area, ref mean, ref m2);
        }

        Float64 variance = m2 / ((Float64)size * (Float64)area);
        var high = (Float32)mean;
        var low = (Float32)(mean - high);
        var inverse = (Float32)((Float64)1.0 / Float64.Sqrt(variance + NormPlace.Epsilon));
        int at = NormPlace.Set(n, lanes) + first;
        for (int c = at; c < at + size; c++)
        {
            constants[c + NormPlace.MeanHigh * lanes] = high;
            constants[c + NormPlace.MeanLow * lanes] = low;
            constants[c + NormPlace.InverseDeviation * lanes] = inverse;
        }
    }

    /// <summary>From the channels' Σdy and Σdy·x̂ the constants of backward.</summary>
    public static void Backward(
        Index1D i, ArrayView<Float64> sumsDy, ArrayView<Float64> sumsDyXhat, NormViews norm, int groups, int size, int area)
    {
        int n = i / groups;
        int first = (i - n * groups) * size;
        int sums = n * norm.Lanes;
        Float64 sumDy = Float64.Zero, sumDyXhat = Float64.Zero;
        for (int c = first; c < first + size; c++)
        {
            Float64 gamma = norm.Gamma[c];
            sumDy = sumDy + gamma * sumsDy[sums + c];
            sumDyXhat = sumDyXhat + gamma * sumsDyXhat[sums + c];
        }

        Float64 count = (Float64)size * (Float64)area;
        Float64 meanDy = sumDy / count, meanDyXhat = sumDyXhat / count;
        int at = NormPlace.Set(n, norm.Lanes);
        for (int c = first; c < first + size; c++)
        {
            NormPlace.StoreBackward(norm, at, c, meanDy, meanDyXhat);
        }
    }
}
