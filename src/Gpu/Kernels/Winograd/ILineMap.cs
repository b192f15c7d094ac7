namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>A constant matrix applied to a line, with the operations of the engine's transform of the same name in their order.</summary>
internal interface ILineMap
{
    /// <summary>Values in.</summary>
    int Inputs { get; }

    /// <summary>Values out.</summary>
    int Outputs { get; }

    Line Apply(Line x);
}
