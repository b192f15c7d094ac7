using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Kernels;
using ConvNet.Engine.Threads;

namespace ConvNet.Client.Benchmarks;

/// <summary>What this machine can do at most, as measured in this process with all threads of a team at once.</summary>
/// <param name="Gigaflops256">
/// 10⁹ floating-point operations a second of 8-lane fused multiply-adds, which count as 2 for each lane.
/// </param>
/// <param name="Gigaflops512">The same of 16-lane ones; null if the processor has no such vectors.</param>
/// <param name="Gigabytes">
/// 10⁹ bytes a second of a = b + s·c over arrays far beyond the caches: two reads and a write, as in STREAM (McCalpin, 1995).
/// </param>
internal sealed record MachinePeak(double Gigaflops256, double? Gigaflops512, double Gigabytes)
{
    /// <summary>
    /// A fused multiply-add takes 4 to 5 cycles and two can start in each, so 10 are needed in flight; 12 and two operands fit
    /// 16 registers.
    /// </summary>
    private const int Accumulators = 12;
    private const int ChainRounds = 1 << 21;
    private const int ArrayLength = 1 << 24;
    private const int PieceLength = 1 << 18;
    private const int Attempts = 12;

    /// <summary>The best of some attempts: a peak is what the machine does when nothing else runs.</summary>
    public static MachinePeak Measure(ThreadTeam team) => new(
        Flops(team, Vector256<float>.Count, Chains256) / 1e9,
        Vector512.IsHardwareAccelerated ? Flops(team, Vector512<float>.Count, Chains512) / 1e9 : null,
        Bytes(team) / 1e9);

    /// <summary>The peak at the width that kernels run on.</summary>
    public double Gigaflops => VectorWidth.Bits == 512 && Gigaflops512 is { } wide ? wide : Gigaflops256;

    private static double Flops(ThreadTeam team, int lanes, Func<int, float> chains)
    {
        var results = new float[team.Size];
        double seconds = Quickest(() => team.Run(team.Size, (item, _) => results[item] = chains(ChainRounds)));
        return 2.0 * Accumulators * lanes * ChainRounds * team.Size / seconds;
    }

    private static double Bytes(ThreadTeam team)
    {
        float[] a = new float[ArrayLength], b = new float[ArrayLength], c = new float[ArrayLength];
        Array.Fill(b, 1);
        Array.Fill(c, 2);
        double seconds = Quickest(() => team.Run(ArrayLength / PieceLength, (piece, _) => Triad(a, b, c, piece * PieceLength)));
        return 3.0 * ArrayLength * sizeof(float) / seconds;
    }

    private static double Quickest(Action work)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i < Attempts; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Independent chains of x = x·m + c, which tend to 1: neither overflow nor denormal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains256(int rounds)
    {
        Vector256<float> m = Vector256.Create(0.5f), c = Vector256.Create(0.5f);
        Vector256<float> x0 = m, x1 = m, x2 = m, x3 = m, x4 = m, x5 = m, x6 = m, x7 = m, x8 = m, x9 = m, x10 = m, x11 = m;
        for (int i = 0; i < rounds; i++)
        {
            x0 = Vector256.FusedMultiplyAdd(x0, m, c);
            x1 = Vector256.FusedMultiplyAdd(x1, m, c);
            x2 = Vector256.FusedMultiplyAdd(x2, m, c);
            x3 = Vector256.FusedMultiplyAdd(x3, m, c);
            x4 = Vector256.FusedMultiplyAdd(x4, m, c);
            x5 = Vector256.FusedMultiplyAdd(x5, m, c);
            x6 = Vector256.FusedMultiplyAdd(x6, m, c);
            x7 = Vector256.FusedMultiplyAdd(x7, m, c);
            x8 = Vector256.FusedMultiplyAdd(x8, m, c);
            x9 = Vector256.FusedMultiplyAdd(x9, m, c);
            x10 = Vector256.FusedMultiplyAdd(x10, m, c);
            x11 = Vector256.FusedMultiplyAdd(x11, m, c);
        }

        return Vector256.Sum(x0 + x1 + x2 + x3 + (x4 + x5 + x6 + x7) + (x8 + x9 + x10 + x11));
    }

    /// <summary>The same chains on vectors of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains512(int rounds)
    {
        Vector512<float> m = Vector512.Create(0.5f), c = Vector512.Create(0.5f);
        Vector512<float> x0 = m, x1 = m, x2 = m, x3 = m, x4 = m, x5 = m, x6 = m, x7 = m, x8 = m, x9 = m, x10 = m, x11 = m;
        for (int i = 0; i < rounds; i++)
        {
            x0 = Vector512.FusedMultiplyAdd(x0, m, c);
            x1 = Vector512.FusedMultiplyAdd(x1, m, c);
            x2 = Vector512.FusedMultiplyAdd(x2, m, c);
            x3 = Vector512.FusedMultiplyAdd(x3, m, c);
            x4 = Vector512.FusedMultiplyAdd(x4, m, c);
            x5 = Vector512.FusedMultiplyAdd(x5, m, c);
            x6 = Vector512.FusedMultiplyAdd(x6, m, c);
            x7 = Vector512.FusedMultiplyAdd(x7, m, c);
            x8 = Vector512.FusedMultiplyAdd(x8, m, c);
            x9 = Vector512.FusedMultiplyAdd(x9, m, c);
            x10 = Vector512.FusedMultiplyAdd(x10, m, c);
            x11 = Vector512.FusedMultiplyAdd(x11, m, c);
        }

        return Vector512.Sum(x0 + x1 + x2 + x3 + (x4 + x5 + x6 + x7) + (x8 + x9 + x10 + x11));
    }

    /// <summary>One piece of a = b + 3·c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Triad(float[] a, float[] b, float[] c, int first)
    {
        ref float toA = ref a[first], fromB = ref b[first], fromC = ref c[first];
        Vector256<float> s = Vector256.Create(3f);
        for (nuint i = 0; i < PieceLength; i += (nuint)Vector256<float>.Count)
        {
            Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref fromC, i), s, Vector256.LoadUnsafe(ref fromB, i)).StoreUnsafe(ref toA, i);
        }
    }
}
