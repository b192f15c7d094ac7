using ConvNet.Engine.Layers;
using ConvNet.Engine.Reduction;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Running statistics after one step from formula values.</summary>
internal static class RunningStatistics
{
    public static void Compare(GoldenFile file, GoldenCase golden, string norm, Moments moments, double tolerance)
    {
        BatchNormState before = Before(golden, norm, moments.Mean.Length);
        RunningAverage average = golden.CumulativeAfter is null ? RunningAverage.Exponential : RunningAverage.Cumulative;
        BatchNormState after = BatchNormStatistics.Update(before, moments, average, golden.CumulativeAfter ?? 0);
        GoldenAssert.Close(file, golden, $"{norm}.running_mean", after.RunningMean, tolerance);
        GoldenAssert.Close(file, golden, $"{norm}.running_var", after.RunningVar, tolerance);
    }

    public static BatchNormState Before(GoldenCase golden, string norm, int channels) =>
        new(norm,
            golden.StateOf($"{norm}.running_mean").Values(golden.Seed, channels),
            golden.StateOf($"{norm}.running_var").Values(golden.Seed, channels));
}
