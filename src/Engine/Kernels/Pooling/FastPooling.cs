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
            float* target = output;
            for (int ho = 0; ho < rows.Output; ho++)
            {
                for (int wo = 0; wo < columns.Output; wo++, target += 8)
                {
                    Largest(input, rows, columns, ho, wo).Value.Store(target);
                }
            }
        }
    }

    public override void MaxBackward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns)
    {
        dx.Clear();
        fixed (float* input = x, gradient = dy, result = dx)
        {
            float* source = gradient;
            for (int ho = 0; ho < rows.Output; ho++)
            {
                for (int wo = 0; wo < columns.Output; wo++, source += 8)
                {
                    Vector256<int> winner = Largest(input, rows, columns, ho, wo).Tap;
                    Scatter(Vector256.Load(source), winner, result, rows, columns, ho, wo);
                }
            }
        }
    }

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

    /// <summary>The largest value of each lane and the tap that holds it first.</summary>
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
