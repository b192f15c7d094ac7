using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels;

/// <summary>A block of 8 channels: the vector of the narrow kernels.</summary>
internal unsafe struct Floats8(Vector256<float> lanes) : IFloats<Floats8>
{
    private Vector256<float> _lanes = lanes;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 LoadBlocks(float* source, nint plane) => Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 MultiplyAdd(Floats8 left, Floats8 right, Floats8 addend) =>
        new(Vector256.FusedMultiplyAdd(left._lanes, right._lanes, addend._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator +(Floats8 left, Floats8 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator -(Floats8 left, Floats8 right) => new(left._lanes - right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator *(Floats8 left, Floats8 right) => new(left._lanes * right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator -(Floats8 value) => new(-value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator /(Floats8 left, Floats8 right) => new(left._lanes / right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator >(Floats8 left, Floats8 right) => new(Vector256.GreaterThan(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator <(Floats8 left, Floats8 right) => new(Vector256.LessThan(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 operator &(Floats8 value, Floats8 mask) => new(value._lanes & mask._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Repeat(Vector256<float> pixel) => new(pixel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 LoadLeft(float* source) => Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 LoadRight(float* source) => Load(source + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePairs(float* target, Floats8 left, Floats8 right)
    {
        left.Store(target);
        right.Store(target + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Outside(Floats8 value, Floats8 mask) => new(Vector256.AndNot(value._lanes, mask._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Select(Floats8 mask, Floats8 first, Floats8 second) =>
        new(Vector256.ConditionalSelect(mask._lanes, first._lanes, second._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 WherePositive(Floats8 value, Floats8 of) =>
        new(Vector256.AndNot(value._lanes, Vector256.LessThanOrEqual(of._lanes, Vector256<float>.Zero)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 LoadWherePositive(float* source, Floats8 of) =>
        new(Vector256.AndNot(Vector256.Load(source), Vector256.LessThanOrEqual(of._lanes, Vector256<float>.Zero)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Wins(Floats8 value, Floats8 best) =>
        new(Vector256.AndNot(Vector256.Equals(best._lanes, best._lanes), Vector256.LessThanOrEqual(value._lanes, best._lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats8 Sqrt(Floats8 value) => new(Vector256.Sqrt(value._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Even, Vector256<float> Odd) EvenAndOdd(Floats8 first, Floats8 second) =>
        (first._lanes, second._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Floats8 left, Floats8 right) => _lanes = Vector256.FusedMultiplyAdd(left._lanes, right._lanes, _lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => _lanes.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreBlocks(float* target, nint plane) => _lanes.Store(target);
}
