using System.Runtime.CompilerServices;
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
    public static void Forward(ReadOnlySpan<float> x, Span<float> y, Span<float> winners, int width, in NormBlock block)
    {
        fixed (float* input = x, output = y, winner = winners)
        {
            if (IsWide(width))
            {
                Forward<Floats16>(input, output, winner, y.Length, width, block);
            }
            else
            {
                Forward<Floats8>(input, output, winner, y.Length, width, block);
            }
        }
    }

    /// <summary>dx = DyScale·dy − DyShift − x̂·XhatScale, where dy is that of the window for its first largest value, else 0.</summary>
    /// <param name="dx">May be <paramref name="x"/> itself.</param>
    public static void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int width, in NormBlock block)
    {
        fixed (float* input = x, gradient = dy, result = dx)
        {
            if (IsWide(width))
            {
                Backward<Floats16>(input, gradient, result, dy.Length, width, block);
            }
            else
            {
                Backward<Floats8>(input, gradient, result, dy.Length, width, block);
            }
        }
    }

    /// <summary>
    /// A vector of 16 takes two neighbouring windows, which then must fill a row. Putting it together from both costs more than it saves where
    /// the processor computes in halves.
    /// </summary>
    private static bool IsWide(int width) => VectorWidth.IsWide && !VectorWidth.IsSplit && width % 2 == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<T>(float* top, float* target, float* winner, int length, int width, in NormBlock block)
        where T : struct, IFloats<T>
    {
        var norm = new NormVectors<T>(block);
        nint row = 16 * width;
        for (float* end = target + length; target < end; top += row)
        {
            float* bottom = top + row;
            for (float* rowEnd = target + 8 * width; target < rowEnd; target += T.Count, winner += T.Count)
            {
                T best = T.LoadLeft(top);
                T bestValue = norm.Affine(norm.Normalize(best));
                Take(norm, T.LoadRight(top), ref best, ref bestValue);
                Take(norm, T.LoadLeft(bottom), ref best, ref bestValue);
                Take(norm, T.LoadRight(bottom), ref best, ref bestValue);
                best.Store(winner);
                T.WherePositive(bestValue, bestValue).Store(target);
                top += 2 * T.Count;
                bottom += 2 * T.Count;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward<T>(float* top, float* gradient, float* result, int length, int width, in NormBlock block)
        where T : struct, IFloats<T>
    {
        var norm = new NormVectors<T>(block);
        var steps = new GradientVectors<T>(block);
        nint row = 16 * width;
        for (float* end = gradient + length; gradient < end; top += row, result += row)
        {
            for (float* rowEnd = gradient + 8 * width; gradient < rowEnd; gradient += T.Count)
            {
                T x0 = norm.Normalize(T.LoadLeft(top)), x1 = norm.Normalize(T.LoadRight(top));
                T x2 = norm.Normalize(T.LoadLeft(top + row)), x3 = norm.Normalize(T.LoadRight(top + row));
                T v0 = norm.Affine(x0), v1 = norm.Affine(x1), v2 = norm.Affine(x2), v3 = norm.Affine(x3);
                T right = v1 > v0, lowerRight = v3 > v2;
                T upper = T.Select(right, v1, v0), lower = T.Select(lowerRight, v3, v2);
                T down = lower > upper;

                // dy where the ReLU let the largest value through.
                T value = T.WherePositive(T.Load(gradient), T.Select(down, lower, upper)) * steps.Scale;
                T above = T.Outside(value, down), below = value & down;
                T.StorePairs(result, steps.Add(x0, T.Outside(above, right)), steps.Add(x1, above & right));
                T.StorePairs(result + row, steps.Add(x2, T.Outside(below, lowerRight)), steps.Add(x3, below & lowerRight));
                top += 2 * T.Count;
                result += 2 * T.Count;
            }
        }
    }

    private static bool Fits(in Window axis) =>
        axis.Kernel == 2 && axis.Stride == 2 && axis.Padding == 0 && axis.Dilation == 1 && axis.Input == 2 * axis.Output;

    /// <summary>Replaces the best x where the next one's value is larger.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take<T>(in NormVectors<T> norm, T next, ref T best, ref T bestValue)
        where T : struct, IFloats<T>
    {
        T value = norm.Affine(norm.Normalize(next));
        T wins = value > bestValue;
        best = T.Select(wins, next, best);
        bestValue = T.Select(wins, value, bestValue);
    }
}
