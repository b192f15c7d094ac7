using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Pooling;

/// <summary>8 lanes at a time. Sums run in float along a row of a window and in double over its rows.</summary>
internal sealed unsafe class FastPooling : PoolingKernel
{
    public override void MaxForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns)
    {
        fixed (float* input = x, output = y)
        {
            switch (IsHalving(rows, columns), IsWide(columns))
            {
                case (true, true):
                    HalvingForward<Floats16>(input, output, rows, columns);
                    break;
                case (true, false):
                    HalvingForward<Floats8>(input, output, rows, columns);
                    break;
                default:
                    MaxForward(input, output, rows, columns);
                    break;
            }
        }
    }

    public override void MaxBackward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns)
    {
        if (!IsHalving(rows, columns) || dx.Length != 4 * dy.Length)
        {
            dx.Clear();
        }

        fixed (float* input = x, gradient = dy, result = dx)
        {
            switch (IsHalving(rows, columns), IsWide(columns))
            {
                case (true, true):
                    HalvingBackward<Floats16>(input, gradient, result, rows, columns);
                    break;
                case (true, false):
                    HalvingBackward<Floats8>(input, gradient, result, rows, columns);
                    break;
                default:
                    MaxBackward(input, gradient, result, rows, columns);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void AverageForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns)
    {
        Vector256<double> size = Vector256.Create((double)(rows.Kernel * columns.Kernel));
        fixed (float* input = x, output = y)
        {
            float* target = output;
            for (int ho = 0; ho < rows.Output; ho++)
            {
                for (int wo = 0; wo < columns.Output; wo++, target += 8)
                {
                    (Vector256<double> lower, Vector256<double> upper) = Sum(input, rows, columns, ho, wo);
                    Vector256.Narrow(lower / size, upper / size).Store(target);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void AverageBackward(ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns)
    {
        dx.Clear();
        Vector256<float> size = Vector256.Create((float)(rows.Kernel * columns.Kernel));
        fixed (float* gradient = dy, result = dx)
        {
            float* source = gradient;
            for (int ho = 0; ho < rows.Output; ho++)
            {
                for (int wo = 0; wo < columns.Output; wo++, source += 8)
                {
                    Spread(Vector256.Load(source) / size, result, rows, columns, ho, wo);
                }
            }
        }
    }

    /// <summary>2×2 windows side by side, the usual ones.</summary>
    private static bool IsHalving(in Window rows, in Window columns) => IsHalving(rows) && IsHalving(columns);

    private static bool IsHalving(in Window axis) => axis.Kernel == 2 && axis.Stride == 2 && axis.Padding == 0 && axis.Dilation == 1;

    /// <summary>A vector of 16 takes two neighbouring windows, which then must fill a row. Made of halves it brings nothing.</summary>
    private static bool IsWide(in Window columns) => VectorWidth.IsWide && !VectorWidth.IsSplit && columns.Output % 2 == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HalvingForward<T>(float* x, float* y, in Window rows, in Window columns)
        where T : struct, IFloats<T>
    {
        nint row = 8 * columns.Input;
        nint length = 8 * columns.Output;
        for (int ho = 0; ho < rows.Output; ho++, x += 2 * row, y += length)
        {
            for (nint i = 0; i < length; i += T.Count)
            {
                float* corner = x + 2 * i;
                T v0 = T.LoadLeft(corner), v1 = T.LoadRight(corner), v2 = T.LoadLeft(corner + row), v3 = T.LoadRight(corner + row);
                T upper = T.Select(T.Wins(v1, v0), v1, v0), lower = T.Select(T.Wins(v3, v2), v3, v2);
                T.Select(T.Wins(lower, upper), lower, upper).Store(y + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HalvingBackward<T>(float* x, float* dy, float* dx, in Window rows, in Window columns)
        where T : struct, IFloats<T>
    {
        nint row = 8 * columns.Input;
        nint length = 8 * columns.Output;
        for (int ho = 0; ho < rows.Output; ho++, x += 2 * row, dx += 2 * row, dy += length)
        {
            for (nint i = 0; i < length; i += T.Count)
            {
                float* corner = x + 2 * i;
                T v0 = T.LoadLeft(corner), v1 = T.LoadRight(corner), v2 = T.LoadLeft(corner + row), v3 = T.LoadRight(corner + row);
                T right = T.Wins(v1, v0), lowerRight = T.Wins(v3, v2);
                T down = T.Wins(T.Select(lowerRight, v3, v2), T.Select(right, v1, v0));

                // Added to 0, as where windows overlap: that turns -0 into 0.
                T gradient = T.Load(dy + i) + T.Create(0);
                T above = T.Outside(gradient, down), below = gradient & down;
                T.StorePairs(dx + 2 * i, T.Outside(above, right), above & right);
                T.StorePairs(dx + 2 * i + row, T.Outside(below, lowerRight), below & lowerRight);
            }
        }
    }

    /// <summary>Any windows. They may overlap, so that neighbouring outputs are no neighbours in the input: a pixel at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxForward(float* input, float* target, in Window rows, in Window columns)
    {
        for (int ho = 0; ho < rows.Output; ho++)
        {
            for (int wo = 0; wo < columns.Output; wo++, target += 8)
            {
                Largest(input, rows, columns, ho, wo).Value.Store(target);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxBackward(float* input, float* source, float* result, in Window rows, in Window columns)
    {
        for (int ho = 0; ho < rows.Output; ho++)
        {
            for (int wo = 0; wo < columns.Output; wo++, source += 8)
            {
                Vector256<int> winner = Largest(input, rows, columns, ho, wo).Tap;
                Scatter(Vector256.Load(source), winner, result, rows, columns, ho, wo);
            }
        }
    }

    /// <summary>The largest value of each lane and the tap that holds it first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Value, Vector256<int> Tap) Largest(float* x, in Window rows, in Window columns, int ho, int wo)
    {
        (int firstRow, int endRow) = Inside(rows, ho);
        (int firstColumn, int endColumn) = Inside(columns, wo);
        float* corner = x + ((long)rows.Position(ho, 0) * columns.Input + columns.Position(wo, 0)) * 8;
        Vector256<int> tap = Vector256.Create(firstRow * columns.Kernel + firstColumn);
        Vector256<float> best = Vector256.Load(corner + ((long)firstRow * columns.Input + firstColumn) * 8);
        for (int r = firstRow; r < endRow; r++)
        {
            float* row = corner + (long)r * columns.Input * 8;
            for (int s = firstColumn; s < endColumn; s++)
            {
                Vector256<float> value = Vector256.Load(row + s * 8);
                Vector256<float> wins = Vector256.GreaterThan(value, best)
                    | Vector256.AndNot(~Vector256.Equals(value, value), ~Vector256.Equals(best, best));
                best = Vector256.ConditionalSelect(wins, value, best);
                tap = Vector256.ConditionalSelect(wins.AsInt32(), Vector256.Create(r * columns.Kernel + s), tap);
            }
        }

        return (best, tap);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(
        Vector256<float> dy, Vector256<int> winner, float* dx, in Window rows, in Window columns, int ho, int wo)
    {
        (int firstRow, int endRow) = Inside(rows, ho);
        (int firstColumn, int endColumn) = Inside(columns, wo);
        float* corner = dx + ((long)rows.Position(ho, 0) * columns.Input + columns.Position(wo, 0)) * 8;
        for (int r = firstRow; r < endRow; r++)
        {
            float* row = corner + (long)r * columns.Input * 8;
            for (int s = firstColumn; s < endColumn; s++)
            {
                Vector256<float> here = Vector256.Equals(winner, Vector256.Create(r * columns.Kernel + s)).AsSingle();
                (Vector256.Load(row + s * 8) + (dy & here)).Store(row + s * 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<double> Lower, Vector256<double> Upper) Sum(
        float* x, in Window rows, in Window columns, int ho, int wo)
    {
        (int firstRow, int endRow) = Inside(rows, ho);
        (int firstColumn, int endColumn) = Inside(columns, wo);
        float* corner = x + ((long)rows.Position(ho, 0) * columns.Input + columns.Position(wo, 0)) * 8;
        Vector256<double> lower = Vector256<double>.Zero;
        Vector256<double> upper = Vector256<double>.Zero;
        for (int r = firstRow; r < endRow; r++)
        {
            float* row = corner + (long)r * columns.Input * 8;
            Vector256<float> part = Vector256<float>.Zero;
            for (int s = firstColumn; s < endColumn; s++)
            {
                part += Vector256.Load(row + s * 8);
            }

            (Vector256<double> partLower, Vector256<double> partUpper) = Vector256.Widen(part);
            lower += partLower;
            upper += partUpper;
        }

        return (lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(Vector256<float> share, float* dx, in Window rows, in Window columns, int ho, int wo)
    {
        (int firstRow, int endRow) = Inside(rows, ho);
        (int firstColumn, int endColumn) = Inside(columns, wo);
        float* corner = dx + ((long)rows.Position(ho, 0) * columns.Input + columns.Position(wo, 0)) * 8;
        for (int r = firstRow; r < endRow; r++)
        {
            float* row = corner + (long)r * columns.Input * 8;
            for (int s = firstColumn; s < endColumn; s++)
            {
                (Vector256.Load(row + s * 8) + share).Store(row + s * 8);
            }
        }
    }
}
