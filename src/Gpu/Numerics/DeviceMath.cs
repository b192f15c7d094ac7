using ConvNet.Engine.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Numerics;

/// <summary>exp and log of kernels: operation by operation those of the engine's <see cref="DeterministicMath"/>.</summary>
internal static class DeviceMath
{
    public static Float64 Exp(Float64 x)
    {
        if (x.IsNaN)
        {
            return double.NaN;
        }

        if (x > 709.782712893384)
        {
            return double.PositiveInfinity;
        }

        if (x < -745.1332191019412)
        {
            return Float64.Zero;
        }

        int exponent = Floor(Float64.Fma(x, DeterministicMath.Log2E, 0.5));
        Float64 k = exponent;
        Float64 r = Float64.Fma(-k, DeterministicMath.Ln2Low, Float64.Fma(-k, DeterministicMath.Ln2High, x));
        Float64 p = 1.0 / 6227020800;
        p = Float64.Fma(p, r, 1.0 / 479001600);
        p = Float64.Fma(p, r, 1.0 / 39916800);
        p = Float64.Fma(p, r, 1.0 / 3628800);
        p = Float64.Fma(p, r, 1.0 / 362880);
        p = Float64.Fma(p, r, 1.0 / 40320);
        p = Float64.Fma(p, r, 1.0 / 5040);
        p = Float64.Fma(p, r, 1.0 / 720);
        p = Float64.Fma(p, r, 1.0 / 120);
        p = Float64.Fma(p, r, 1.0 / 24);
        p = Float64.Fma(p, r, 1.0 / 6);
        p = Float64.Fma(p, r, 0.5);
        p = Float64.Fma(p, r, 1.0);
        p = Float64.Fma(p, r, 1.0);
        int half = exponent / 2;
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <param name="x">At least 1, or NaN; the engine's function takes any.</param>
    public static Float64 LogFromOne(Float64 x)
    {
        if (x.IsNaN)
        {
            return double.NaN;
        }

        ulong bits = Interop.FloatAsInt(x.Value);
        int e = (int)(bits >> 52) - 1023;
        Float64 m = Interop.IntAsFloat((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m = m * 0.5;
            e++;
        }

        Float64 f = m - 1.0;
        Float64 s = f / (m + 1.0);
        Float64 z = s * s;
        Float64 p = 1.0 / 23;
        p = Float64.Fma(p, z, 1.0 / 21);
        p = Float64.Fma(p, z, 1.0 / 19);
        p = Float64.Fma(p, z, 1.0 / 17);
        p = Float64.Fma(p, z, 1.0 / 15);
        p = Float64.Fma(p, z, 1.0 / 13);
        p = Float64.Fma(p, z, 1.0 / 11);
        p = Float64.Fma(p, z, 1.0 / 9);
        p = Float64.Fma(p, z, 1.0 / 7);
        p = Float64.Fma(p, z, 1.0 / 5);
        p = Float64.Fma(p, z, 1.0 / 3);
        Float64 rest = Float64.Fma((Float64)2.0 * s * z, p, -s * f);
        return Float64.Fma(e, DeterministicMath.Ln2High, f + Float64.Fma(e, DeterministicMath.Ln2Low, rest));
    }

    /// <summary>The largest integer that is not above <paramref name="x"/>, which an int must hold.</summary>
    private static int Floor(Float64 x)
    {
        int truncated = (int)x.Value;
        return x < truncated ? truncated - 1 : truncated;
    }

    private static Float64 PowerOfTwo(int exponent) => Interop.IntAsFloat((ulong)(exponent + 1023) << 52);
}
