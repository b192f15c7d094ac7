using Xunit;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Comparisons in units of a tensor's largest value.</summary>
internal static class GoldenAssert
{
    /// <summary>
    /// Stored elements within <paramref name="tolerance"/> of the largest value. The norm within the same share of itself, the sum
    /// within the same share of norm·√count, which bounds the sum of absolute values.
    /// </summary>
    public static void Close(GoldenFile file, GoldenCase golden, string name, ReadOnlySpan<float> actual, double tolerance)
    {
        ExpectedTensor expected = golden.Expected.Single(tensor => tensor.Name == name);
        Assert.Equal(expected.Count, actual.Length);
        int[] positions = Formula.Chosen(golden.Seed, actual.Length);
        ReadOnlySpan<double> elements = file.Elements(expected);
        Assert.Equal(positions.Length, elements.Length);
        for (int i = 0; i < positions.Length; i++)
        {
            Within(tolerance * expected.Largest, elements[i], actual[positions[i]], $"{name}[{positions[i]}]", expected.Largest);
        }

        double sum = 0;
        double squares = 0;
        foreach (float value in actual)
        {
            sum += value;
            squares += (double)value * value;
        }

        Within(tolerance * expected.Norm, expected.Norm, Math.Sqrt(squares), $"norm of {name}", expected.Norm);
        Within(tolerance * expected.Norm * Math.Sqrt(actual.Length), expected.Sum, sum, $"sum of {name}", expected.Norm);
    }

    /// <summary>Every element within <paramref name="tolerance"/> of the expected tensor's largest value.</summary>
    public static void Close<T>(string name, ReadOnlySpan<T> expected, ReadOnlySpan<float> actual, double tolerance)
        where T : struct, IConvertible
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0;
        foreach (T value in expected)
        {
            largest = Math.Max(largest, Math.Abs(value.ToDouble(null)));
        }

        for (int i = 0; i < actual.Length; i++)
        {
            Within(tolerance * largest, expected[i].ToDouble(null), actual[i], $"{name}[{i}]", largest);
        }
    }

    private static void Within(double allowed, double expected, double actual, string what, double unit)
    {
        if (!(Math.Abs(expected - actual) <= allowed))
        {
            Assert.Fail($"{what} is {actual:g9}, expected {expected:g9}: off by {Math.Abs(expected - actual) / unit:g3} of {unit:g4}.");
        }
    }
}
