using System.Diagnostics;
using System.Runtime.CompilerServices;
using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Bench;

/// <summary>What this processor can do at best with vectors of one width.</summary>
internal static class VectorPeak
{
    private const int Sums = 12;
    private const int Steps = 2000;
    private const double SecondsInAll = 0.1;

    /// <summary>FLOP/s of one thread whose multiply-adds wait for nothing: the quickest of many short runs.</summary>
    public static double Measure<T>()
        where T : struct, IFloats<T>
    {
        double best = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < SecondsInAll)
        {
            long start = Stopwatch.GetTimestamp();
            Run<T>();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Sums * Steps * T.Count / best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Run<T>()
        where T : struct, IFloats<T>
    {
        T a = T.Create(0.5f), b = T.Create(1), c = b, d = b, e = b, f = b, g = b, h = b, i = b, j = b, k = b, l = b, m = b;
        for (int step = 0; step < Steps; step++)
        {
            b = T.MultiplyAdd(b, a, a);
            c = T.MultiplyAdd(c, a, a);
            d = T.MultiplyAdd(d, a, a);
            e = T.MultiplyAdd(e, a, a);
            f = T.MultiplyAdd(f, a, a);
            g = T.MultiplyAdd(g, a, a);
            h = T.MultiplyAdd(h, a, a);
            i = T.MultiplyAdd(i, a, a);
            j = T.MultiplyAdd(j, a, a);
            k = T.MultiplyAdd(k, a, a);
            l = T.MultiplyAdd(l, a, a);
            m = T.MultiplyAdd(m, a, a);
        }

        float* sum = stackalloc float[T.Count];
        (b + c + d + e + f + g + h + i + j + k + l + m).Store(sum);
    }
}
