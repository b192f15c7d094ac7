using System.Diagnostics;

namespace ConvNet.Client.Benchmarks;

/// <summary>
/// Runs steps until they don't become quicker: the runtime compiles a method anew some time after its first calls, so that a small
/// network's first hundred steps measure slow code.
/// </summary>
internal static class WarmUp
{
    private const double RoundSeconds = 0.2;
    private const double Gain = 0.03;
    private const int SettledRounds = 2;
    private const int MaxRounds = 25;

    /// <summary>
    /// Rounds of at least one step and 0.2 s, until the quickest step of two rounds in a row was no gain of 3 %; at most 25 rounds.
    /// </summary>
    public static void Run(Action step)
    {
        double best = double.PositiveInfinity;
        int settled = 0;
        for (int round = 0; round < MaxRounds && settled < SettledRounds; round++)
        {
            double quickest = Quickest(step);
            settled = quickest < (1 - Gain) * best ? 0 : settled + 1;
            best = Math.Min(best, quickest);
        }
    }

    private static double Quickest(Action step)
    {
        double quickest = double.PositiveInfinity;
        long begin = Stopwatch.GetTimestamp();
        do
        {
            long start = Stopwatch.GetTimestamp();
            step();
            quickest = Math.Min(quickest, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < RoundSeconds);
        return quickest;
    }
}
