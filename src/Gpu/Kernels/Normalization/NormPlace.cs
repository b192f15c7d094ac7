using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// Where the constants of normalization lie: sets of statistics × 6 kinds × lanes, in the order of the engine's NormConstants. Lanes are the channels
/// rounded up to whole blocks; those past the last channel hold zeros.
/// </summary>
internal static class NormPlace
{
    public const int Kinds = 6;
    public const int MeanHigh = 0;
    public const int MeanLow = 1;
    public const int InverseDeviation = 2;
    public const int DyScale = 3;
    public const int DyShift = 4;
    public const int XhatScale = 5;

    /// <summary>What is added to a variance.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>The constants of a set begin here.</summary>
    public static int Set(int set, int lanes) => set * Kinds * lanes;

    /// <summary>x̂ = ((x − high) − low)·inverse.</summary>
    /// <param name="at">Of the set, plus the lane.</param>
    public static Float32 Normalize(Float32 x, ArrayView<Float32> constants, int at, int lanes) =>
        ((x - constants[at + MeanHigh * lanes]) - constants[at + MeanLow * lanes]) * constants[at + InverseDeviation * lanes];

    /// <summary>Stores the constants of backward of a channel.</summary>
    /// <param name="set">Where the set begins.</param>
    /// <param name="meanDy">Σγ·dy / N over all values that share its statistics.</param>
    /// <param name="meanDyXhat">Σγ·dy·x̂ / N over the same.</param>
    public static void StoreBackward(NormViews norm, int set, int channel, Float64 meanDy, Float64 meanDyXhat)
    {
        int at = set + channel;
        Float64 inverse = norm.Constants[at + InverseDeviation * norm.Lanes];
        norm.Constants[at + DyScale * norm.Lanes] = (Float32)((Float64)norm.Gamma[channel] * inverse);
        norm.Constants[at + DyShift * norm.Lanes] = (Float32)(meanDy * inverse);
        norm.Constants[at + XhatScale * norm.Lanes] = (Float32)(meanDyXhat * inverse);
    }

    /// <summary>The lane, of all channels, of an index over (samples, blocks, area, 8).</summary>
    public static int Lane(int i, int lanes, int area) => ((i >> 3) / area * 8 + (i & 7)) % lanes;
}
