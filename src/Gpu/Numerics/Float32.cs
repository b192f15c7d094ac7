using ILGPU;

namespace ConvNet.Gpu.Numerics;

/// <summary>
/// A float of a kernel: its operators round as <see cref="Rounded"/> says, so that no plain operation of C#, which a compiler might fuse or
/// re-associate, slips in. In memory it is a float.
/// </summary>
/// <param name="value">The bits.</param>
public readonly struct Float32(float value)
{
    public readonly float Value = value;

    public static Float32 Zero => new(0f);

    /// <summary>By the bits, because a compiler may take a value to equal itself.</summary>
    public bool IsNaN => (Interop.FloatAsInt(Value) & 0x7FFFFFFF) > 0x7F800000;

    public static implicit operator Float32(float value) => new(value);

    /// <summary>Rounded to the nearest float.</summary>
    public static explicit operator Float32(int value) => new(value);

    public static Float32 operator +(Float32 a, Float32 b) => new(Rounded.Add(a.Value, b.Value));

    public static Float32 operator -(Float32 a, Float32 b) => new(Rounded.Subtract(a.Value, b.Value));

    public static Float32 operator *(Float32 a, Float32 b) => new(Rounded.Multiply(a.Value, b.Value));

    public static Float32 operator /(Float32 a, Float32 b) => new(Rounded.Divide(a.Value, b.Value));

    public static Float32 operator -(Float32 a) => new(-a.Value);

    /// <summary>False for NaN, as every comparison here.</summary>
    public static bool operator >(Float32 a, Float32 b) => a.Value > b.Value;

    public static bool operator <(Float32 a, Float32 b) => a.Value < b.Value;

    /// <summary>a·b + c, rounded once.</summary>
    public static Float32 Fma(Float32 a, Float32 b, Float32 c) => new(Rounded.Fma(a.Value, b.Value, c.Value));

    public static Float32 Sqrt(Float32 a) => new(Rounded.Sqrt(a.Value));

    /// <summary>This value where <paramref name="of"/> is above 0 or NaN, else +0: what a ReLU lets through.</summary>
    public Float32 WherePositive(Float32 of) => of.Value <= 0f ? Zero : this;
}
