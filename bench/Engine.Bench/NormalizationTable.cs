using System.Diagnostics;
using ConvNet.Engine.Geometry;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Kernels.Normalization;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Bench;

/// <summary>The normalization passes over one block of 8 channels that is in cache.</summary>
internal static class NormalizationTable
{
    private const int Calls = 200;
    private const double SecondsPerPass = 0.25;

    public static void Print()
    {
        Console.WriteLine("Normalization over a block in cache: ps per value (quickest of many)\n");
        Console.WriteLine("| pixels | moments | forward | backward sums | backward | residual sum | pooled forward | pooled backward |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (int side in (int[])[2, 4, 8, 16, 28, 32])
        {
            Console.WriteLine(Row(side));
        }
    }

    private static string Row(int side)
    {
        using Activation x = Filled(side), dy = Filled(side), y = Filled(side), dx = Filled(side), pooled = Filled(side / 2), winners = Filled(side / 2);
        var constants = new NormConstants(8);
        float[] ones = [1, 1, 1, 1, 1, 1, 1, 1];
        for (int lane = 0; lane < 8; lane++)
        {
            constants.Set(lane, 0.01, 1, 1e-5);
            constants.SetBackward(lane, 1, 0.01, 0.01);
        }

        double[] first = new double[8], second = new double[8];
        NormalizationKernel kernel = NormalizationKernel.For(KernelSet.Fast);
        double[] times =
        [
            Picoseconds(side, () => kernel.Moments(x.Block(0, 0), first, second)),
            Picoseconds(side, () => kernel.Forward(x.Block(0, 0), y.Block(0, 0), new(constants, ones, ones, 0), true)),
            Picoseconds(side, () => kernel.BackwardSums(x.Block(0, 0), dy.Block(0, 0), new(constants, ones, ones, 0), true, first, second)),
            Picoseconds(side, () => kernel.Backward(x.Block(0, 0), dy.Block(0, 0), dx.Block(0, 0), new(constants, ones, ones, 0), true)),
            Picoseconds(side, () => NormalizedSum.Forward(x.Block(0, 0), new(constants, ones, ones, 0), dy.Block(0, 0), y.Block(0, 0))),
            Picoseconds(side, () => PooledNormalization.Forward(
                x.Block(0, 0), pooled.Block(0, 0), winners.Block(0, 0), side / 2, new(constants, ones, ones, 0))),
            Picoseconds(side, () => PooledNormalization.Backward(
                x.Block(0, 0), pooled.Block(0, 0), dx.Block(0, 0), side / 2, new(constants, ones, ones, 0))),
        ];
        return $"| {side}x{side} | {string.Join(" | ", times.Select(time => FormattableString.Invariant($"{time:F0}")))} |";
    }

    private static Activation Filled(int side)
    {
        var activation = new Activation(new Shape(8, side, side), 1);
        for (int i = 0; i < activation.SampleStride; i++)
        {
            activation.SampleSpan(0)[i] = i % 17 / 17f - 0.4f;
        }

        return activation;
    }

    /// <summary>The quickest of many calls; the time is long enough for the runtime to optimize them.</summary>
    private static double Picoseconds(int side, Action call)
    {
        double best = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < SecondsPerPass)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Calls; i++)
            {
                call();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best / Calls / (side * side * 8) * 1e12;
    }
}
