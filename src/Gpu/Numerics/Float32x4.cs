namespace ConvNet.Gpu.Numerics;

/// <summary>Four floats side by side, which a kernel loads and stores at once; each is computed by itself.</summary>
internal struct Float32x4
{
    public Float32 X, Y, Z, W;

    public static Float32x4 operator +(Float32x4 a, Float32x4 b)
    {
        Float32x4 sum = default;
        sum.X = a.X + b.X;
        sum.Y = a.Y + b.Y;
        sum.Z = a.Z + b.Z;
        sum.W = a.W + b.W;
        return sum;
    }

    /// <summary>a·b + c, rounded once.</summary>
    public static Float32x4 Fma(Float32 a, Float32x4 b, Float32x4 c)
    {
        Float32x4 sum = default;
        sum.X = Float32.Fma(a, b.X, c.X);
        sum.Y = Float32.Fma(a, b.Y, c.Y);
        sum.Z = Float32.Fma(a, b.Z, c.Z);
        sum.W = Float32.Fma(a, b.W, c.W);
        return sum;
    }
}
