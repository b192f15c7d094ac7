using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Up to six values in a row, in registers.</summary>
internal struct Line
{
    public Float32 V0, V1, V2, V3, V4, V5;
}
