using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// Normalization of values by themselves, forward and backward, with the operations of the engine's FastNormalization. An item is a value of
/// (samples, blocks, area, 8).
/// </summary>
internal static class Normalizing
{
    /// <summary>y = γ·x̂ + β, then the ReLU that follows if <paramref name="relu"/> is not 0.</summary>
    public static void Forward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, NormViews norm, int area, int relu)
    {
        int lane = NormPlace.Lane(i, norm.Lanes, area);
        int at = NormPlace.Set(norm.Sets[i / (norm.Lanes * area)], norm.Lanes) + lane;
        Float32 value = Affine(NormPlace.Normalize(x[i], norm.Constants, at, norm.Lanes), norm, lane);
        y[i] = relu != 0 ? value.WherePositive(value) : value;
    }

    /// <summary>dx = DyScale·dy − DyShift − x̂·XhatScale, with dy masked by the ReLU that follows if <paramref name="relu"/> is not 0.</summary>
    /// <param name="dx">May be dy itself.</param>
    public static void Backward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> dx, NormViews norm, int area, int relu)
    {
        int lane = NormPlace.Lane(i, norm.Lanes, area);
        int at = NormPlace.Set(norm.Sets[i / (norm.Lanes * area)], norm.Lanes) + lane;
        Float32 xhat = NormPlace.Normalize(x[i], norm.Constants, at, norm.Lanes);
        Float32 gradient = relu != 0 ? dy[i].WherePositive(Affine(xhat, norm, lane)) : dy[i];
        Float32 step = Float32.Fma(gradient, norm.Constants[at + NormPlace.DyScale * norm.Lanes], -norm.Constants[at + NormPlace.DyShift * norm.Lanes]);
        dx[i] = Float32.Fma(xhat, -norm.Constants[at + NormPlace.XhatScale * norm.Lanes], step);
    }

    /// <summary>y = γ·x̂ + β with an own γ and β for each element, from x̂.</summary>
    /// <param name="gamma">One sample, laid out as x̂'s.</param>
    public static void ElementAffine(
        Index1D i, ArrayView<Float32> xhat, ArrayView<Float32> gamma, ArrayView<Float32> beta, ArrayView<Float32> y, int stride)
    {
        int element = i % stride;
        y[i] = Float32.Fma(xhat[i], gamma[element], beta[element]);
    }

    /// <summary>dy = dy·γ.</summary>
    public static void ElementScale(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> gamma, int stride) => dy[i] = dy[i] * gamma[i % stride];

    /// <summary>γ·x̂ + β.</summary>
    internal static Float32 Affine(Float32 xhat, NormViews norm, int lane) => Float32.Fma(xhat, norm.Gamma[lane], norm.Beta[lane]);
}
