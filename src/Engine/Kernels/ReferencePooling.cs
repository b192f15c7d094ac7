using ConvNet.Engine.Layers;

namespace ConvNet.Engine.Kernels;

/// <summary>Pooling of one channel of one sample as plain loops; pixels lie 8 floats apart.</summary>
internal static unsafe class ReferencePooling
{
    public static void MaxForward(float* x, float* y, in Window rows, in Window columns)
    {
        for (int ho = 0; ho < rows.Output; ho++)
        {
            for (int wo = 0; wo < columns.Output; wo++)
            {
                y[(ho * columns.Output + wo) * 8] = x[Winner(x, rows, columns, ho, wo) * 8];
            }
        }
    }

    /// <summary>Adds each dy to the winner of its window, in row order of the outputs; dx is zero on entry.</summary>
    public static void MaxBackward(float* x, float* dy, float* dx, in Window rows, in Window columns)
    {
        for (int ho = 0; ho < rows.Output; ho++)
        {
            for (int wo = 0; wo < columns.Output; wo++)
            {
                dx[Winner(x, rows, columns, ho, wo) * 8] += dy[(ho * columns.Output + wo) * 8];
            }
        }
    }

    /// <summary>The pixel of the first largest value; NaN counts as largest.</summary>
    private static int Winner(float* x, in Window rows, in Window columns, int ho, int wo)
    {
        int winner = -1;
        float best = 0;
        for (int r = 0; r < rows.Kernel; r++)
        {
            int h = rows.Position(ho, r);
            for (int s = 0; s < columns.Kernel; s++)
            {
                int w = columns.Position(wo, s);
                if ((uint)h >= (uint)rows.Input || (uint)w >= (uint)columns.Input)
                {
                    continue;
                }

                int pixel = h * columns.Input + w;
                float value = x[pixel * 8];
                if (winner < 0 || value > best || (float.IsNaN(value) && !float.IsNaN(best)))
                {
                    winner = pixel;
                    best = value;
                }
            }
        }

        return winner;
    }
}
