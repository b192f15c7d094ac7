namespace ConvNet.Engine.Kernels;

/// <summary>Which implementation of the layers runs: the oracle or the fast one.</summary>
public enum KernelSet
{
    /// <summary>Vector code in blocks of 8 channels; the default.</summary>
    Fast,

    /// <summary>Plain loops with double accumulators: the oracle.</summary>
    Reference,
}
