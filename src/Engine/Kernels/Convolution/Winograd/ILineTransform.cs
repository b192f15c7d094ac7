namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// A constant matrix applied to a line of 8-lane vectors; a plane is transformed by applying it to every column, then to every row.
/// </summary>
internal unsafe interface ILineTransform
{
    /// <summary>Vectors in.</summary>
    static abstract int Inputs { get; }

    /// <summary>Vectors out.</summary>
    static abstract int Outputs { get; }

    /// <summary>Steps are in floats; source and target must not overlap.</summary>
    static abstract void Apply(float* source, nint sourceStep, float* target, nint targetStep);
}
