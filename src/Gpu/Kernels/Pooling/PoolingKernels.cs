using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Pooling;

/// <summary>
/// Pooling with the results of the engine's FastPooling. An item of forward is an output value, which visits its window in row order; an item of
/// backward is an input value, which gathers from the windows over it in the order of the outputs, as the engine's scattering adds to it.
/// </summary>
internal static class PoolingKernels
{
    /// <summary>The largest value of each window, NaN counting as largest, and the tap that holds it first.</summary>
    public static void MaxForward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, ArrayView<int> taps, PoolWindows windows)
    {
        int plane = Place(i, windows.OutputH, windows.OutputW, out int ho, out int wo, out int lane);
        int top = ho * windows.StrideH - windows.PaddingH, left = wo * windows.StrideW - windows.PaddingW;
        int firstR = IntrinsicMath.Max(0, -top), endR = IntrinsicMath.Min(windows.KernelH, windows.InputH - top);
        int firstS = IntrinsicMath.Max(0, -left), endS = IntrinsicMath.Min(windows.KernelW, windows.InputW - left);
        int tap = firstR * windows.KernelW + firstS;
        Float32 best = x[At(plane, top + firstR, left + firstS, lane, windows)];
        for (int r = firstR; r < endR; r++)
        {
            for (int s = firstS; s < endS; s++)
            {
                Float32 value = x[At(plane, top + r, left + s, lane, windows)];
                if (value > best || (value.IsNaN && !best.IsNaN))
                {
                    best = value;
                    tap = r * windows.KernelW + s;
                }
            }
        }

        y[i] = best;
        taps[i] = tap;
    }

    /// <summary>dx = Σ of the dy whose window has its largest value here.</summary>
    public static void MaxBackward(Index1D i, ArrayView<Float32> dy, ArrayView<int> taps, ArrayView<Float32> dx, PoolWindows windows)
    {
        int plane = Place(i, windows.InputH, windows.InputW, out int h, out int w, out int lane);
        int endHo = End(h + windows.PaddingH, windows.StrideH, windows.OutputH);
        int endWo = End(w + windows.PaddingW, windows.StrideW, windows.OutputW);
        Float32 sum = Float32.Zero;
        for (int ho = First(h + windows.PaddingH, windows.KernelH, windows.StrideH); ho < endHo; ho++)
        {
            int r = h + windows.PaddingH - ho * windows.StrideH;
            for (int wo = First(w + windows.PaddingW, windows.KernelW, windows.StrideW); wo < endWo; wo++)
            {
                int s = w + windows.PaddingW - wo * windows.StrideW;
                int at = ((plane * windows.OutputH + ho) * windows.OutputW + wo) * 8 + lane;
                if (taps[at] == r * windows.KernelW + s)
                {
                    sum = sum + dy[at];
                }
            }
        }

        dx[i] = sum;
    }

    /// <summary>The sum under each window over the window's size: in float along a row, in double over the rows.</summary>
    public static void AverageForward(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, PoolWindows windows)
    {
        int plane = Place(i, windows.OutputH, windows.OutputW, out int ho, out int wo, out int lane);
        int top = ho * windows.StrideH - windows.PaddingH, left = wo * windows.StrideW - windows.PaddingW;
        int endR = IntrinsicMath.Min(windows.KernelH, windows.InputH - top);
        int endS = IntrinsicMath.Min(windows.KernelW, windows.InputW - left);
        Float64 sum = Float64.Zero;
        for (int r = IntrinsicMath.Max(0, -top); r < endR; r++)
        {
            Float32 part = Float32.Zero;
            for (int s = IntrinsicMath.Max(0, -left); s < endS; s++)
            {
                part = part + x[At(plane, top + r, left + s, lane, windows)];
            }

            sum = sum + part;
        }

        y[i] = (Float32)(sum / (Float64)(windows.KernelH * windows.KernelW));
    }

    /// <summary>dx = Σ of dy over the window's size.</summary>
    public static void AverageBackward(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> dx, PoolWindows windows)
    {
        int plane = Place(i, windows.InputH, windows.InputW, out int h, out int w, out int lane);
        int endHo = End(h + windows.PaddingH, windows.StrideH, windows.OutputH);
        int endWo = End(w + windows.PaddingW, windows.StrideW, windows.OutputW);
        var size = (Float32)(windows.KernelH * windows.KernelW);
        Float32 sum = Float32.Zero;
        for (int ho = First(h + windows.PaddingH, windows.KernelH, windows.StrideH); ho < endHo; ho++)
        {
            for (int wo = First(w + windows.PaddingW, windows.KernelW, windows.StrideW); wo < endWo; wo++)
            {
                sum = sum + dy[((plane * windows.OutputH + ho) * windows.OutputW + wo) * 8 + lane] / size;
            }
        }

        dx[i] = sum;
    }

    /// <summary>Takes an index over (planes, height, width, 8) apart, and returns the plane.</summary>
    private static int Place(int i, int height, int width, out int h, out int w, out int lane)
    {
        int pixel = i >> 3;
        lane = i & 7;
        int row = pixel / width;
        w = pixel - row * width;
        int plane = row / height;
        h = row - plane * height;
        return plane;
    }

    private static int At(int plane, int h, int w, int lane, PoolWindows windows) => ((plane * windows.InputH + h) * windows.InputW + w) * 8 + lane;

    /// <summary>The first output whose window reaches a padded position.</summary>
    private static int First(int position, int kernel, int stride) => IntrinsicMath.Max(0, (position - kernel + stride) / stride);

    /// <summary>One past the last.</summary>
    private static int End(int position, int stride, int outputs) => IntrinsicMath.Min(outputs, position / stride + 1);
}
