namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Which filter lies where.</summary>
/// <param name="Inputs">Channels that are summed over.</param>
/// <param name="Outputs">Channels that result.</param>
/// <param name="InputStep">Floats from one input channel's weights to the next.</param>
/// <param name="OutputStep">Floats from one output channel's weights to the next.</param>
/// <param name="Rotated">1 to turn each filter by 180°, as backward data needs it.</param>
internal readonly record struct FilterGrid(int Inputs, int Outputs, int InputStep, int OutputStep, int Rotated)
{
    public int PaddedInputs => (Inputs + 7) / 8 * 8;

    public int PaddedOutputs => (Outputs + 7) / 8 * 8;

    /// <summary>Floats from one point to the next.</summary>
    public int PointStep => PaddedInputs * PaddedOutputs;
}
