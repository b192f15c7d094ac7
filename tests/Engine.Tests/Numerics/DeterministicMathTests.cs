using ConvNet.Engine.Numerics;
using Xunit;

namespace ConvNet.Engine.Tests.Numerics;

public class DeterministicMathTests
{
    private const double Bound = 1e-15;

    [Fact]
    public void Exp_agrees_with_the_library_over_its_whole_range()
    {
        for (double x = -745; x < 709.7; x += 0.0137)
        {
            double expected = Math.Exp(x);
            double allowed = Math.Max(Bound * expected, double.Epsilon);
            Assert.True(Math.Abs(DeterministicMath.Exp(x) - expected) <= allowed, $"exp({x:R})");
        }
    }

    [Fact]
    public void Log_agrees_with_the_library_over_its_whole_range()
    {
        for (double e = -1070; e < 1023; e += 0.37)
        {
            double x = Math.Pow(2, e);
            double expected = Math.Log(x);
            Assert.True(Math.Abs(DeterministicMath.Log(x) - expected) <= Bound * Math.Abs(expected), $"log({x:R})");
        }
    }

    [Fact]
    public void Log_keeps_its_relative_accuracy_near_one()
    {
        for (int i = 1; i < 1000; i++)
        {
            foreach (double x in new[] { 1 + (i * 1e-6), 1 - (i * 1e-6), 1 + (i * 1e-13) })
            {
                double expected = Math.Log(x);
                Assert.True(Math.Abs(DeterministicMath.Log(x) - expected) <= Bound * Math.Abs(expected), $"log({x:R})");
            }
        }
    }

    [Fact]
    public void Sine_and_cosine_agree_with_the_library()
    {
        for (double x = -50; x < 50; x += 0.00173)
        {
            Assert.True(Math.Abs(DeterministicMath.Cos(x) - Math.Cos(x)) <= Bound, $"cos({x:R})");
            Assert.True(Math.Abs(DeterministicMath.Sin(x) - Math.Sin(x)) <= Bound, $"sin({x:R})");
        }

        for (double x = 1e3; x < 9e8; x *= 1.0137)
        {
            Assert.True(Math.Abs(DeterministicMath.Cos(x) - Math.Cos(x)) <= Bound, $"cos({x:R})");
        }
    }

    [Fact]
    public void Float_versions_are_within_one_unit_in_the_last_place()
    {
        for (float x = -87; x < 88; x += 0.0137f)
        {
            float expected = (float)Math.Exp(x);
            Assert.InRange(DeterministicMath.Exp(x), MathF.BitDecrement(expected), MathF.BitIncrement(expected));
            float logarithm = (float)Math.Log(expected);
            Assert.InRange(DeterministicMath.Log(expected), MathF.BitDecrement(logarithm), MathF.BitIncrement(logarithm));
        }
    }

    [Fact]
    public void Ends_of_the_range_behave_as_in_the_standard()
    {
        Assert.Equal(1, DeterministicMath.Exp(0.0));
        Assert.Equal(0, DeterministicMath.Exp(double.NegativeInfinity));
        Assert.Equal(0, DeterministicMath.Exp(-746.0));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Exp(710.0));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Exp(double.PositiveInfinity));
        Assert.Equal(float.PositiveInfinity, DeterministicMath.Exp(89f));
        Assert.True(double.IsNaN(DeterministicMath.Exp(double.NaN)));
        Assert.Equal(0, DeterministicMath.Log(1.0));
        Assert.Equal(double.NegativeInfinity, DeterministicMath.Log(0.0));
        Assert.Equal(double.PositiveInfinity, DeterministicMath.Log(double.PositiveInfinity));
        Assert.True(double.IsNaN(DeterministicMath.Log(-1.0)));
        Assert.Equal(1, DeterministicMath.Cos(0));
        Assert.Equal(-1, DeterministicMath.Cos(DeterministicMath.Pi));
        Assert.Throws<ArgumentOutOfRangeException>(() => DeterministicMath.Cos(2e9));
        Assert.Throws<ArgumentOutOfRangeException>(() => DeterministicMath.Cos(double.NaN));
    }
}
