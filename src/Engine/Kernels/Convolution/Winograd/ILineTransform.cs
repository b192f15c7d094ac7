namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// A constant matrix applied to a line of vectors; a plane is transformed by applying it to every column, then to every row.
/// </summary>
internal unsafe interface ILineTransform
{
    /// <summary>Vectors in.</summary>
    static abstract int Inputs { get; }

    /// <summary>Vectors out.</summary>
    static abstract int Outputs { get; }

    /// <summary>Steps are in floats; source and target must not overlap.</summary>
    /// <param name="plane">Floats from a target's first 8 lanes to its second 8.</param>
    static abstract void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
        where T : struct, IFloats<T>;
}
