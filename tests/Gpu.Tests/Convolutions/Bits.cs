using ConvNet.Engine.Threads;
using Xunit;

namespace ConvNet.Gpu.Tests.Convolutions;

/// <summary>Comparisons of floats by their bits; any NaN is as good as another.</summary>
internal static class Bits
{
    public static void AssertEqual(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        int differ = 0, first = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            if (Of(expected[i]) != Of(actual[i]))
            {
                first = differ == 0 ? i : first;
                differ++;
            }
        }

        Assert.True(
            differ == 0, differ == 0 ? "" : $"{what}: {differ} of {expected.Length} values differ, first [{first}]: {expected[first]:R} became {actual[first]:R}");
    }

    /// <summary>The first samples, padding lanes included.</summary>
    public static unsafe void AssertEqual(Activation expected, Activation actual, int samples, string what)
    {
        int length = samples * expected.SampleStride;
        AssertEqual(new ReadOnlySpan<float>(expected.Data, length), new ReadOnlySpan<float>(actual.Data, length), what);
    }

    private static int Of(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);
}
