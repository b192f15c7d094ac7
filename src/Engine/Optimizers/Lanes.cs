using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Optimizers;

/// <summary>Looks at values as vectors of 8 lanes. Parameters are padded to whole blocks, so nothing is left over.</summary>
internal static class Lanes
{
    public static Span<Vector256<float>> Of(Span<float> values)
    {
        ThrowIfUneven(values.Length);
        return MemoryMarshal.Cast<float, Vector256<float>>(values);
    }

    public static ReadOnlySpan<Vector256<float>> Of(ReadOnlySpan<float> values)
    {
        ThrowIfUneven(values.Length);
        return MemoryMarshal.Cast<float, Vector256<float>>(values);
    }

    private static void ThrowIfUneven(int length)
    {
        if (length % Vector256<float>.Count != 0)
        {
            throw new ArgumentException($"{length} values are not a whole number of {Vector256<float>.Count} lanes; pass whole blocks.");
        }
    }
}
