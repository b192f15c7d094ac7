using Xunit;

namespace ConvNet.Gpu.Tests;

/// <summary>Floats that must be the same, bit for bit; NaNs may have any payload.</summary>
internal static class Bits
{
    public static void AssertSame(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        int differ = 0;
        int first = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i])
                && !(float.IsNaN(expected[i]) && float.IsNaN(actual[i])))
            {
                first = differ++ == 0 ? i : first;
            }
        }

        if (differ > 0)
        {
            Assert.Fail(
                $"{what}: {differ} of {expected.Length} values differ, first [{first}]: " +
                $"{expected[first]:R} on the processor, {actual[first]:R} on the device");
        }
    }
}
