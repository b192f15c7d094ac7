namespace ConvNet.Engine.Numerics;

/// <summary>
/// exp, log, sin and cos from additions, multiplications, divisions, fused multiply-adds and bit moves only, so that every machine and
/// every runtime version gives the same bits. The functions of <see cref="Math"/> call the C library and may differ between machines.
/// The relative error stays below 1e-15 for the double versions (sin and cos: relative to 1 for |x| up to <see cref="MaxAngle"/>);
/// the float versions round the double result once.
/// </summary>
public static class DeterministicMath
{
    /// <summary>The largest |x| that <see cref="Sin"/> and <see cref="Cos"/> accept: beyond it the range reduction loses accuracy.</summary>
    public const double MaxAngle = 1e9;

    /// <summary>The constant π in double precision.</summary>
    public const double Pi = 3.14159265358979323846;

    internal const double Log2E = 1.44269504088896340736;
    private const double HalfPiHigh = 1.57079632679489655800;
    private const double HalfPiLow = 6.12323399573676603587e-17;

    // The high part ends in enough zero bits that k * Ln2High is exact for every exponent k.
    internal const double Ln2High = 6.93147180369123816490e-01;
    internal const double Ln2Low = 1.90821492927058770002e-10;

    public static float Exp(float x) => (float)Exp((double)x);

    public static float Log(float x) => (float)Log((double)x);

    /// <summary>e to the power of <paramref name="x"/>: x = k ln 2 + r with |r| ≤ ln 2 / 2, then the Taylor polynomial of degree 13.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x))
        {
            return double.NaN;
        }

        if (x > 709.782712893384)
        {
            return double.PositiveInfinity;
        }

        if (x < -745.1332191019412)
        {
            return 0;
        }

        double k = Math.Floor(Math.FusedMultiplyAdd(x, Log2E, 0.5));
        double r = Math.FusedMultiplyAdd(-k, Ln2Low, Math.FusedMultiplyAdd(-k, Ln2High, x));
        double p = 1.0 / 6227020800;
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 479001600);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 39916800);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 3628800);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 362880);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 40320);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 5040);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 720);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 120);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 24);
        p = Math.FusedMultiplyAdd(p, r, 1.0 / 6);
        p = Math.FusedMultiplyAdd(p, r, 0.5);
        p = Math.FusedMultiplyAdd(p, r, 1.0);
        p = Math.FusedMultiplyAdd(p, r, 1.0);

        // Two factors, because 2^k itself leaves the range of normal numbers at both ends.
        int exponent = (int)k;
        int half = exponent / 2;
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>
    /// Natural logarithm: x = 2^e m with m in [√½, √2), then the odd series of log((1+s)/(1−s)), s = (m−1)/(m+1), up to s^23.
    /// Negative x gives NaN, 0 gives −∞.
    /// </summary>
    public static double Log(double x)
    {
        if (double.IsNaN(x) || x < 0)
        {
            return double.NaN;
        }

        if (x == 0)
        {
            return double.NegativeInfinity;
        }

        if (double.IsPositiveInfinity(x))
        {
            return x;
        }

        int e = 0;
        if (x < 2.2250738585072014e-308)
        {
            x *= 18014398509481984.0;
            e = -54;
        }

        long bits = BitConverter.DoubleToInt64Bits(x);
        e += (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            e++;
        }

        double f = m - 1;
        double s = f / (m + 1);
        double z = s * s;
        double p = 1.0 / 23;
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 21);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 19);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 17);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 15);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 13);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 11);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 9);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 7);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 5);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 3);

        // log m = 2s + 2s·z·p, and 2s = f − s·f: f is exact, so only the small rest is rounded.
        double rest = Math.FusedMultiplyAdd(2 * s * z, p, -s * f);
        return Math.FusedMultiplyAdd(e, Ln2High, f + Math.FusedMultiplyAdd(e, Ln2Low, rest));
    }

    /// <summary>Cosine of <paramref name="x"/> radians.</summary>
    /// <exception cref="ArgumentOutOfRangeException">|x| is larger than <see cref="MaxAngle"/>, or not a number.</exception>
    public static double Cos(double x) => Quadrant(x, 1);

    /// <summary>Sine of <paramref name="x"/> radians.</summary>
    /// <exception cref="ArgumentOutOfRangeException">|x| is larger than <see cref="MaxAngle"/>, or not a number.</exception>
    public static double Sin(double x) => Quadrant(x, 0);

    // sin(x + shift·π/2): x = k π/2 + r with |r| ≤ π/4; π/2 in two parts gives r to about 106 bits.
    private static double Quadrant(double x, int shift)
    {
        if (!(Math.Abs(x) <= MaxAngle))
        {
            throw new ArgumentOutOfRangeException(nameof(x), x, $"The angle must lie within ±{MaxAngle:R} radians.");
        }

        double k = Math.Floor(Math.FusedMultiplyAdd(x, 1 / HalfPiHigh, 0.5));
        double r = Math.FusedMultiplyAdd(-k, HalfPiLow, Math.FusedMultiplyAdd(-k, HalfPiHigh, x));
        int quadrant = (int)(((long)k + shift) & 3);
        double value = (quadrant & 1) == 0 ? SinPolynomial(r) : CosPolynomial(r);
        return (quadrant & 2) == 0 ? value : -value;
    }

    private static double SinPolynomial(double r)
    {
        double z = r * r;
        double p = 1.0 / 355687428096000;
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 1307674368000);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 6227020800);
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 39916800);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 362880);
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 5040);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 120);
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 6);
        return Math.FusedMultiplyAdd(r * z, p, r);
    }

    private static double CosPolynomial(double r)
    {
        double z = r * r;
        double p = 1.0 / 20922789888000;
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 87178291200);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 479001600);
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 3628800);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 40320);
        p = Math.FusedMultiplyAdd(p, z, -1.0 / 720);
        p = Math.FusedMultiplyAdd(p, z, 1.0 / 24);
        p = Math.FusedMultiplyAdd(p, z, -0.5);
        return Math.FusedMultiplyAdd(z, p, 1.0);
    }

    private static double PowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);
}
