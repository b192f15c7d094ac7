namespace ConvNet.Engine.Tests.Golden;

/// <summary>
/// The integer hash behind every golden input, weight and output gradient, so that only expected values are committed.
/// <c>formula.py</c> is the same in Python.
/// </summary>
internal static class Formula
{
    /// <summary>Tensors with more elements are compared at this many of them.</summary>
    public const int ChosenElements = 256;

    private const uint Choice = 0x43484F49;
    private const uint Label = 0x4C41424C;

    /// <summary>32 hashed bits for (seed, tensor id, element index).</summary>
    public static uint Bits(uint seed, uint tensor, uint index) =>
        unchecked(Mix(Mix(seed * 0x9E3779B9u + tensor) + index * 0x85EBCA77u));

    /// <summary>offset + scale·v with v in [−1, 1) a multiple of 2^−23; each operation rounded to float32.</summary>
    public static float Value(uint seed, uint tensor, uint index, float scale = 1, float offset = 0)
    {
        float v = ((int)Bits(seed, tensor, index) >> 8) * (1f / (1 << 23));
        float scaled = scale * v;
        return offset + scaled;
    }

    /// <summary>A tensor of formula values in logical (C) order.</summary>
    public static float[] Values(uint seed, uint tensor, int count, float scale = 1, float offset = 0)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = Value(seed, tensor, (uint)i, scale, offset);
        }

        return values;
    }

    public static int[] Labels(uint seed, int batch, int classes)
    {
        var labels = new int[batch];
        for (int n = 0; n < batch; n++)
        {
            labels[n] = (int)(Bits(seed, Label, (uint)n) % (uint)classes);
        }

        return labels;
    }

    /// <summary>
    /// The positions that are stored of a tensor of <paramref name="count"/> elements: all of them in order, or
    /// <see cref="ChosenElements"/> by hash, with repetition.
    /// </summary>
    public static int[] Chosen(uint seed, int count)
    {
        var positions = new int[Math.Min(count, ChosenElements)];
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = count <= ChosenElements ? i : (int)(Bits(seed, Choice, (uint)i) % (uint)count);
        }

        return positions;
    }

    private static uint Mix(uint h)
    {
        unchecked
        {
            h ^= h >> 16;
            h *= 0x7FEB352Du;
            h ^= h >> 15;
            h *= 0x846CA68Bu;
            return h ^ (h >> 16);
        }
    }
}
