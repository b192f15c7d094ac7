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

    /// <summary>left · right + addend, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf addend);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf value);

    void Store(float* target);

    /// <summary>Each 8 lanes to their own block of channels.</summary>
    /// <param name="plane">Floats from 8 lanes to the next 8; 0 drops all but the first 8.</param>
    void StoreBlocks(float* target, nint plane);
}
