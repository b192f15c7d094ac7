using ConvNet.Engine.Numerics;
using ConvNet.Gpu.Numerics;
using Xunit;

namespace ConvNet.Gpu.Tests.Numerics;

/// <summary>exp and log of kernels against the engine's, value by value: in a loss, sums hide the last bits.</summary>
public sealed class DeviceMathTests
{
    private readonly Random _random = new(23);

    [Fact]
    public void The_exponential_is_the_engines()
    {
        foreach (double odd in new[] { 0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 709.8, 709.7, -745.2, -745.1, -708.5 })
        {
            AssertSame(DeterministicMath.Exp(odd), DeviceMath.Exp(odd), odd);
        }

        for (int i = 0; i < 100_000; i++)
        {
            double x = (_random.NextDouble() - 0.5) * (i % 2 == 0 ? 2 : 1500);
            AssertSame(DeterministicMath.Exp(x), DeviceMath.Exp(x), x);
        }
    }

    [Fact]
    public void The_logarithm_from_one_on_is_the_engines()
    {
        foreach (double odd in new[] { 1, double.NaN, 1.4142135623730951, Math.BitIncrement(1.4142135623730951), double.MaxValue })
        {
            AssertSame(DeterministicMath.Log(odd), DeviceMath.LogFromOne(odd), odd);
        }

        for (int i = 0; i < 100_000; i++)
        {
            double x = 1 + _random.NextDouble() * (i % 2 == 0 ? 1 : 100_000);
            AssertSame(DeterministicMath.Log(x), DeviceMath.LogFromOne(x), x);
        }
    }

    private static void AssertSame(double expected, Float64 actual, double x) => Assert.True(
        expected.Equals(actual.Value) && double.IsNegative(expected) == double.IsNegative(actual.Value),
        $"{x:R}: {expected:R}, and {actual.Value:R} in kernels");
}
