using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels;

/// <summary>Two blocks of 8 channels: the vector of the wide kernels.</summary>
internal unsafe struct Floats16(Vector512<float> lanes) : IFloats<Floats16>
{
    private Vector512<float> _lanes = lanes;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 LoadBlocks(float* source, nint plane) =>
        plane == 8 ? Load(source) : new(Vector256.Load(source).ToVector512Unsafe().WithUpper(Vector256.Load(source + plane)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 MultiplyAdd(Floats16 left, Floats16 right, Floats16 addend) =>
        new(Vector512.FusedMultiplyAdd(left._lanes, right._lanes, addend._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator +(Floats16 left, Floats16 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator -(Floats16 left, Floats16 right) => new(left._lanes - right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator *(Floats16 left, Floats16 right) => new(left._lanes * right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator -(Floats16 value) => new(-value._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator /(Floats16 left, Floats16 right) => new(left._lanes / right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator >(Floats16 left, Floats16 right) => new(Vector512.GreaterThan(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator <(Floats16 left, Floats16 right) => new(Vector512.LessThan(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 operator &(Floats16 value, Floats16 mask) => new(value._lanes & mask._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Repeat(Vector256<float> pixel) => new(Vector512.Create(pixel, pixel));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 LoadLeft(float* source) => new(Vector512.Create(Vector256.Load(source), Vector256.Load(source + 16)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 LoadRight(float* source) => new(Vector512.Create(Vector256.Load(source + 8), Vector256.Load(source + 24)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePairs(float* target, Floats16 left, Floats16 right)
    {
        left._lanes.GetLower().Store(target);
        right._lanes.GetLower().Store(target + 8);
        left._lanes.GetUpper().Store(target + 16);
        right._lanes.GetUpper().Store(target + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Outside(Floats16 value, Floats16 mask) => new(Vector512.AndNot(value._lanes, mask._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Select(Floats16 mask, Floats16 first, Floats16 second) =>
        new(Vector512.ConditionalSelect(mask._lanes, first._lanes, second._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 WherePositive(Floats16 value, Floats16 of) =>
        new(Vector512.ConditionalSelect(Vector512.LessThanOrEqual(of._lanes, Vector512<float>.Zero), Vector512<float>.Zero, value._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 LoadWherePositive(float* source, Floats16 of) =>
        new(Vector512.ConditionalSelect(Vector512.LessThanOrEqual(of._lanes, Vector512<float>.Zero), Vector512<float>.Zero, Vector512.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Wins(Floats16 value, Floats16 best) =>
        new(Vector512.AndNot(Vector512.Equals(best._lanes, best._lanes), Vector512.LessThanOrEqual(value._lanes, best._lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats16 Sqrt(Floats16 value) => new(Vector512.Sqrt(value._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Even, Vector256<float> Odd) EvenAndOdd(Floats16 first, Floats16 second) =>
        (first._lanes.GetLower(), first._lanes.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Floats16 left, Floats16 right) => _lanes = Vector512.FusedMultiplyAdd(left._lanes, right._lanes, _lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => _lanes.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreBlocks(float* target, nint plane)
    {
        if (plane == 8)
        {
            _lanes.Store(target);
            return;
        }

        _lanes.GetUpper().Store(target + plane);
        _lanes.GetLower().Store(target);
    }
}
