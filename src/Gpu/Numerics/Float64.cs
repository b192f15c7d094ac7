namespace ConvNet.Gpu.Numerics;

/// <summary>A double of a kernel, as <see cref="Float32"/> is a float.</summary>
/// <param name="value">The bits.</param>
public readonly struct Float64(double value)
{
    public readonly double Value = value;

    public static Float64 Zero => new(0.0);

    /// <summary>By the bits, as <see cref="Float32.IsNaN"/>.</summary>
    public bool IsNaN => (ILGPU.Interop.FloatAsInt(Value) & 0x7FFFFFFFFFFFFFFF) > 0x7FF0000000000000;

    public static implicit operator Float64(double value) => new(value);

    /// <summary>Exact.</summary>
    public static implicit operator Float64(Float32 value) => new(value.Value);

    /// <summary>Exact.</summary>
    public static implicit operator Float64(int value) => new(value);

    /// <summary>Rounded to the nearest double.</summary>
    public static explicit operator Float64(long value) => new(value);

    /// <summary>Rounded to the nearest float.</summary>
    public static explicit operator Float32(Float64 value) => new((float)value.Value);

    public static Float64 operator +(Float64 a, Float64 b) => new(Rounded.Add64(a.Value, b.Value));

    public static Float64 operator -(Float64 a, Float64 b) => new(Rounded.Subtract64(a.Value, b.Value));

    public static Float64 operator *(Float64 a, Float64 b) => new(Rounded.Multiply64(a.Value, b.Value));

    public static Float64 operator /(Float64 a, Float64 b) => new(Rounded.Divide64(a.Value, b.Value));

    public static Float64 operator -(Float64 a) => new(-a.Value);

    public static bool operator >(Float64 a, Float64 b) => a.Value > b.Value;

    public static bool operator <(Float64 a, Float64 b) => a.Value < b.Value;

    /// <summary>a·b + c, rounded once.</summary>
    public static Float64 Fma(Float64 a, Float64 b, Float64 c) => new(Rounded.Fma64(a.Value, b.Value, c.Value));

    public static Float64 Sqrt(Float64 a) => new(Rounded.Sqrt64(a.Value));
}
