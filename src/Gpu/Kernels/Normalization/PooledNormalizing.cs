using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>
/// Batch norm, ReLU and 2×2 pooling in one pass, with the operations of the engine's PooledNormalization: backward takes its sums over the winners
/// alone, and scales dy with a rounding before it shifts it. An item is a value of the pooled side, (samples, blocks, area, 8).
/// </summary>
internal static class PooledNormalizing
{
    /// <summary>y = the largest of relu(γ·x̂ + β) in each window; the x of the first largest is kept.</summary>
    /// <param name="width">Of y.</param>
    /// <param name="area">Of y.</param>
    public static void Forward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, ArrayView<Float32> winners, NormViews norm, int width, int area)
    {
        int lane = NormPlace.Lane(i, norm.Lanes, area);
        int at = NormPlace.Set(norm.Sets[i / (norm.Lanes * area)], norm.Lanes) + lane;
        int corner = Corner(i, width);
        Float32 best = x[corner];
        Float32 bestValue = Value(best, norm, at, lane);
        for (int tap = 1; tap < 4; tap++)
        {
            Float32 next = x[corner + (tap & 1) * 8 + (tap >> 1) * 16 * width];
            Float32 value = Value(next, norm, at, lane);
            bool wins = value > bestValue;
            best = wins ? next : best;
            bestValue = wins ? value : bestValue;
        }

        winners[i] = best;
        y[i] = bestValue.WherePositive(bestValue);
    }

    /// <summary>dx, with the dy of the window for its first largest value and 0 for the others; dy is masked by the ReLU.</summary>
    public static void Backward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<Float32> dx, NormViews norm, int width, int area)
    {
        int lane = NormPlace.Lane(i, norm.Lanes, area);
        int at = NormPlace.Set(norm.Sets[i / (norm.Lanes * area)], norm.Lanes) + lane;
        int corner = Corner(i, width);
        int below = corner + 16 * width;
        Float32 x0 = NormPlace.Normalize(x[corner], norm.Constants, at, norm.Lanes);
        Float32 x1 = NormPlace.Normalize(x[corner + 8], norm.Constants, at, norm.Lanes);
        Float32 x2 = NormPlace.Normalize(x[below], norm.Constants, at, norm.Lanes);
        Float32 x3 = NormPlace.Normalize(x[below + 8], norm.Constants, at, norm.Lanes);
        Float32 v0 = Normalizing.Affine(x0, norm, lane), v1 = Normalizing.Affine(x1, norm, lane);
        Float32 v2 = Normalizing.Affine(x2, norm, lane), v3 = Normalizing.Affine(x3, norm, lane);
        bool right = v1 > v0, lowerRight = v3 > v2;
        Float32 upper = right ? v1 : v0, lower = lowerRight ? v3 : v2;
        bool down = lower > upper;
        Float32 value = dy[i].WherePositive(down ? lower : upper) * norm.Constants[at + NormPlace.DyScale * norm.Lanes];
        int winner = down ? (lowerRight ? 3 : 2) : right ? 1 : 0;
        Float32 shift = -norm.Constants[at + NormPlace.DyShift * norm.Lanes], scale = -norm.Constants[at + NormPlace.XhatScale * norm.Lanes];
        dx[corner] = Step(x0, winner == 0 ? value : Float32.Zero, shift, scale);
        dx[corner + 8] = Step(x1, winner == 1 ? value : Float32.Zero, shift, scale);
        dx[below] = Step(x2, winner == 2 ? value : Float32.Zero, shift, scale);
        dx[below + 8] = Step(x3, winner == 3 ? value : Float32.Zero, shift, scale);
    }

    /// <summary>The upper left value of a window: rows of x are twice as long and twice as many.</summary>
    private static int Corner(int i, int width)
    {
        int pixel = i >> 3;
        int row = pixel / width;
        return ((2 * row * 2 * width) + 2 * (pixel - row * width)) * 8 + (i & 7);
    }

    private static Float32 Value(Float32 x, NormViews norm, int at, int lane) =>
        Normalizing.Affine(NormPlace.Normalize(x, norm.Constants, at, norm.Lanes), norm, lane);

    private static Float32 Step(Float32 xhat, Float32 scaledDy, Float32 shift, Float32 scale) => Float32.Fma(xhat, scale, scaledDy + shift);
}
