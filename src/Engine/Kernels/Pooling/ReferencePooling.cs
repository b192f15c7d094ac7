using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Kernels.Pooling;

/// <summary>Plain loops with double accumulators.</summary>
internal sealed class ReferencePooling : PoolingKernel
{
    public override void MaxForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = x[Winner(x, rows, columns, i)];
        }
    }

    public override void MaxBackward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns)
    {
        dx.Clear();
        for (int i = 0; i < dy.Length; i++)
        {
            dx[Winner(x, rows, columns, i)] += dy[i];
        }
    }

    public override void AverageForward(ReadOnlySpan<float> x, Span<float> y, in Window rows, in Window columns)
    {
        for (int i = 0; i < y.Length; i++)
        {
            (int top, int left) = Corner(rows, columns, i);
            (int firstRow, int endRow) = Inside(rows, i / 8 / columns.Output);
            (int firstColumn, int endColumn) = Inside(columns, i / 8 % columns.Output);
            double sum = 0;
            for (int r = firstRow; r < endRow; r++)
            {
                for (int s = firstColumn; s < endColumn; s++)
                {
                    sum += x[((top + r) * columns.Input + left + s) * 8 + (i & 7)];
                }
            }

            y[i] = (float)(sum / (rows.Kernel * columns.Kernel));
        }
    }

    public override void AverageBackward(ReadOnlySpan<float> dy, Span<float> dx, in Window rows, in Window columns)
    {
        var sums = new double[dx.Length];
        for (int i = 0; i < dy.Length; i++)
        {
            (int top, int left) = Corner(rows, columns, i);
            (int firstRow, int endRow) = Inside(rows, i / 8 / columns.Output);
            (int firstColumn, int endColumn) = Inside(columns, i / 8 % columns.Output);
            double share = (double)dy[i] / (rows.Kernel * columns.Kernel);
            for (int r = firstRow; r < endRow; r++)
            {
                for (int s = firstColumn; s < endColumn; s++)
                {
                    sums[((top + r) * columns.Input + left + s) * 8 + (i & 7)] += share;
                }
            }
        }

        for (int i = 0; i < sums.Length; i++)
        {
            dx[i] = (float)sums[i];
        }
    }

    /// <summary>Where the first largest value of the window of output float <paramref name="output"/> lies.</summary>
    private static int Winner(ReadOnlySpan<float> x, in Window rows, in Window columns, int output)
    {
        (int top, int left) = Corner(rows, columns, output);
        (int firstRow, int endRow) = Inside(rows, output / 8 / columns.Output);
        (int firstColumn, int endColumn) = Inside(columns, output / 8 % columns.Output);
        int winner = -1;
        for (int r = firstRow; r < endRow; r++)
        {
            for (int s = firstColumn; s < endColumn; s++)
            {
                int i = ((top + r) * columns.Input + left + s) * 8 + (output & 7);
                if (winner < 0 || x[i] > x[winner] || (float.IsNaN(x[i]) && !float.IsNaN(x[winner])))
                {
                    winner = i;
                }
            }
        }

        return winner;
    }

    private static (int Top, int Left) Corner(in Window rows, in Window columns, int output) =>
        (rows.Position(output / 8 / columns.Output, 0), columns.Position(output / 8 % columns.Output, 0));
}
