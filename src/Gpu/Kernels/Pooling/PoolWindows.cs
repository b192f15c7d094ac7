using ConvNet.Engine.Geometry;

namespace ConvNet.Gpu.Kernels.Pooling;

/// <summary>The windows of a pooling layer, as numbers for kernels.</summary>
/// <param name="rows">Along height.</param>
/// <param name="columns">Along width.</param>
internal readonly struct PoolWindows(in Window rows, in Window columns)
{
    public readonly int InputH = rows.Input;
    public readonly int InputW = columns.Input;
    public readonly int OutputH = rows.Output;
    public readonly int OutputW = columns.Output;
    public readonly int KernelH = rows.Kernel;
    public readonly int KernelW = columns.Kernel;
    public readonly int StrideH = rows.Stride;
    public readonly int StrideW = columns.Stride;
    public readonly int PaddingH = rows.Padding;
    public readonly int PaddingW = columns.Padding;
}
