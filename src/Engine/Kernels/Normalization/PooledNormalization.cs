using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>
/// Batch norm, ReLU and 2×2 max pooling of one sample's block of 8 channels in one pass, so that neither the values between them nor
/// their gradients go through memory. Backward computes the largest values anew, from the same floats with the same operations.
/// A lane holds no NaN, or nothing else: in training the statistics of the batch spread it over the channel.
/// </summary>
internal static unsafe class PooledNormalization
{
    /// <summary>True for 2×2 windows that cover the input without overlap or remainder.</summary>
    public static bool Fits(in Window rows, in Window columns) => Fits(rows) && Fits(columns);

    /// <summary>
    /// y = the largest of relu(γ·x̂ + β) in each window. The x of the first largest is kept, so that the backward sums, to which no other
    /// value adds, need a quarter of the memory traffic.
    /// </summary>
    /// <param name="x">(2·height, 2·width, 8).</param>
    /// <param name="y">(height, width, 8).</param>
    /// <param name="winners">As y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ReadOnlySpan<float> x, Span<float> y, Span<float> winners, int width, in NormBlock block)
    {
        var norm = new NormVectors(block);
        fixed (float* input = x, output = y, winner = winners)
        {
            float* top = input;
            float* end = output + y.Length;
            float* winningX = winner;
            for (float* target = output; target < end; top += 16 * width)
            {
                float* bottom = top + 16 * width;
                for (float* rowEnd = target + 8 * width; target < rowEnd; target += 8, winningX += 8, top += 16, bottom += 16)
                {
                    Vector256<float> best = Vector256.Load(top);
                    Vector256<float> bestValue = norm.Affine(norm.Normalize(best));
                    Take(norm, top + 8, ref best, ref bestValue);
                    Take(norm, bottom, ref best, ref bestValue);
                    Take(norm, bottom + 8, ref best, ref bestValue);
                    best.Store(winningX);
                    Vector256.AndNot(bestValue, Vector256.LessThanOrEqual(bestValue, Vector256<float>.Zero)).Store(target);
                }
            }
        }
    }

    /// <summary>dx = DyScale·dy − DyShift − x̂·XhatScale, where dy is that of the window for its first largest value, else 0.</summary>
    /// <param name="dx">May be <paramref name="x"/> itself.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int width, in NormBlock block)
    {
        var norm = new NormVectors(block);
        Vector256<float> scale = Vector256.Create(block.DyScale);
        Vector256<float> shift = -Vector256.Create(block.DyShift);
        Vector256<float> xhatScale = -Vector256.Create(block.XhatScale);
        fixed (float* input = x, gradient = dy, result = dx)
        {
            nint row = 16 * width;
            nint corner = 0;
            int column = 0;
            for (float* source = gradient, end = gradient + dy.Length; source < end; source += 8, corner += 16)
            {
                Vector256<float> x0 = norm.Normalize(Vector256.Load(input + corner));
                Vector256<float> x1 = norm.Normalize(Vector256.Load(input + corner + 8));
                Vector256<float> x2 = norm.Normalize(Vector256.Load(input + corner + row));
                Vector256<float> x3 = norm.Normalize(Vector256.Load(input + corner + row + 8));
                Vector256<float> v0 = norm.Affine(x0), v1 = norm.Affine(x1), v2 = norm.Affine(x2), v3 = norm.Affine(x3);
                Vector256<float> right = Vector256.GreaterThan(v1, v0);
                Vector256<float> lowerRight = Vector256.GreaterThan(v3, v2);
                Vector256<float> upper = Vector256.ConditionalSelect(right, v1, v0);
                Vector256<float> lower = Vector256.ConditionalSelect(lowerRight, v3, v2);
                Vector256<float> down = Vector256.GreaterThan(lower, upper);
                Vector256<float> value = Open(Vector256.Load(source), Vector256.ConditionalSelect(down, lower, upper));
                value *= scale;
                Vector256<float> above = Vector256.AndNot(value, down), below = value & down;
                float* target = result + corner;
                Vector256.FusedMultiplyAdd(x0, xhatScale, Vector256.AndNot(above, right) + shift).Store(target);
                Vector256.FusedMultiplyAdd(x1, xhatScale, (above & right) + shift).Store(target + 8);
                Vector256.FusedMultiplyAdd(x2, xhatScale, Vector256.AndNot(below, lowerRight) + shift).Store(target + row);
                Vector256.FusedMultiplyAdd(x3, xhatScale, (below & lowerRight) + shift).Store(target + row + 8);
                if (++column == width)
                {
                    corner += row;
                    column = 0;
                }
            }
        }
    }

    private static bool Fits(in Window axis) =>
        axis.Kernel == 2 && axis.Stride == 2 && axis.Padding == 0 && axis.Dilation == 1 && axis.Input == 2 * axis.Output;

    /// <summary>Replaces the best x where the next one's value is larger.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(in NormVectors norm, float* x, ref Vector256<float> best, ref Vector256<float> bestValue)
    {
        Vector256<float> next = Vector256.Load(x);
        Vector256<float> value = norm.Affine(norm.Normalize(next));
        Vector256<float> wins = Vector256.GreaterThan(value, bestValue);
        best = Vector256.ConditionalSelect(wins, next, best);
        bestValue = Vector256.ConditionalSelect(wins, value, bestValue);
    }

    /// <summary>dy where the ReLU let the value through.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Open(Vector256<float> dy, Vector256<float> value) =>
        Vector256.AndNot(dy, Vector256.LessThanOrEqual(value, Vector256<float>.Zero));
}
