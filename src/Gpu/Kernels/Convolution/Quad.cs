using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Convolution;

/// <summary>The sums of 4 × 4 products that a thread holds in registers: a row for each left factor.</summary>
internal struct Quad
{
    public Float32x4 R0, R1, R2, R3;

    public static Quad operator +(Quad a, Quad b)
    {
        Quad sum = default;
        sum.R0 = a.R0 + b.R0;
        sum.R1 = a.R1 + b.R1;
        sum.R2 = a.R2 + b.R2;
        sum.R3 = a.R3 + b.R3;
        return sum;
    }

    /// <summary>Four equal rows.</summary>
    public static Quad Of(Float32x4 row)
    {
        Quad quad = default;
        quad.R0 = row;
        quad.R1 = row;
        quad.R2 = row;
        quad.R3 = row;
        return quad;
    }

    /// <summary>Adds each of the left values times each of the right ones, rounded once.</summary>
    public static Quad Fma(Float32x4 left, Float32x4 right, Quad sums)
    {
        Quad quad = default;
        quad.R0 = Float32x4.Fma(left.X, right, sums.R0);
        quad.R1 = Float32x4.Fma(left.Y, right, sums.R1);
        quad.R2 = Float32x4.Fma(left.Z, right, sums.R2);
        quad.R3 = Float32x4.Fma(left.W, right, sums.R3);
        return quad;
    }
}
