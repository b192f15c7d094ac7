using System.Runtime.InteropServices;
using ConvNet.Engine.Kernels;

namespace ConvNet.Engine.Optimizers;

/// <summary>Looks at values as vectors. Parameters are padded to whole blocks, so nothing is left over.</summary>
internal static class Lanes
{
    public static Span<T> Of<T>(Span<float> values)
        where T : struct, IFloats<T>
    {
        ThrowIfUneven(values.Length, T.Count);
        return MemoryMarshal.Cast<float, T>(values);
    }

    public static ReadOnlySpan<T> Of<T>(ReadOnlySpan<float> values)
        where T : struct, IFloats<T>
    {
        ThrowIfUneven(values.Length, T.Count);
        return MemoryMarshal.Cast<float, T>(values);
    }

    private static void ThrowIfUneven(int length, int lanes)
    {
        if (length % lanes != 0)
        {
            throw new ArgumentException($"{length} values are not a whole number of {lanes} lanes; pass whole blocks.");
        }
    }
}
