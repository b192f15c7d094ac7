using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels;

/// <summary>
/// A vector of floats, of 8 or of 16 lanes, so that one source of a kernel serves both widths: the JIT compiles a method for each struct,
/// to the same instructions as if it were written with the vectors themselves.
/// </summary>
internal unsafe interface IFloats<TSelf>
    where TSelf : struct, IFloats<TSelf>
{
    /// <summary>Lanes: a multiple of 8.</summary>
    static abstract int Count { get; }

    static abstract TSelf Create(float value);

    static abstract TSelf Load(float* source);

    /// <summary>Each 8 lanes from their own block of channels.</summary>
    /// <param name="plane">Floats from 8 lanes to the next 8.</param>
    static abstract TSelf LoadBlocks(float* source, nint plane);

    /// <summary>The 8 channels of one pixel for each pixel of the vector.</summary>
    static abstract TSelf Repeat(Vector256<float> pixel);

    /// <summary>Of as many pairs of neighbouring pixels as the vector has pixels, the left ones.</summary>
    static abstract TSelf LoadLeft(float* source);

    /// <summary>Of these pairs, the right pixels.</summary>
    static abstract TSelf LoadRight(float* source);

    /// <summary>The inverse of <see cref="LoadLeft"/> and <see cref="LoadRight"/>.</summary>
    static abstract void StorePairs(float* target, TSelf left, TSelf right);

    /// <summary>left · right + addend, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf addend);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf value);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>A mask, false for NaN.</summary>
    static abstract TSelf operator >(TSelf left, TSelf right);

    static abstract TSelf operator <(TSelf left, TSelf right);

    /// <summary>The value in the lanes of a mask, else 0.</summary>
    static abstract TSelf operator &(TSelf value, TSelf mask);

    /// <summary>0 in the lanes of a mask, else the value.</summary>
    static abstract TSelf Outside(TSelf value, TSelf mask);

    /// <summary>The first value in the lanes of a mask, else the second.</summary>
    static abstract TSelf Select(TSelf mask, TSelf first, TSelf second);

    /// <summary>0 where <paramref name="of"/> is at most 0, else the value: also where that is NaN.</summary>
    static abstract TSelf WherePositive(TSelf value, TSelf of);

    /// <summary>The same of a value in memory: the compiler makes the load a part of another instruction.</summary>
    static abstract TSelf LoadWherePositive(float* source, TSelf of);

    /// <summary>A mask of the lanes where a value replaces the best so far in max pooling: it is larger, or the first NaN.</summary>
    static abstract TSelf Wins(TSelf value, TSelf best);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>
    /// Sums over even and over odd pixels: a vector of 16 keeps both in the first argument, vectors of 8 keep one each.
    /// </summary>
    static abstract (Vector256<float> Even, Vector256<float> Odd) EvenAndOdd(TSelf first, TSelf second);

    /// <summary>
    /// Adds left · right, rounded once. The compiler leaves the sum in its register, where it moves the result of <see cref="MultiplyAdd"/> there.
    /// </summary>
    void AddProduct(TSelf left, TSelf right);

    void Store(float* target);

    /// <summary>Each 8 lanes to their own block of channels.</summary>
    /// <param name="plane">Floats from 8 lanes to the next 8; 0 drops all but the first 8.</param>
    void StoreBlocks(float* target, nint plane);
}
