using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Normalization;

/// <summary>What normalization needs of its statistics and parameters, for kernels.</summary>
/// <param name="constants">As <see cref="NormPlace"/> says.</param>
/// <param name="gamma">(lanes).</param>
/// <param name="beta">(lanes).</param>
/// <param name="sets">For each sample its set of constants.</param>
internal readonly struct NormViews(ArrayView<Float32> constants, ArrayView<Float32> gamma, ArrayView<Float32> beta, ArrayView<int> sets, int lanes)
{
    public readonly ArrayView<Float32> Constants = constants;
    public readonly ArrayView<Float32> Gamma = gamma;
    public readonly ArrayView<Float32> Beta = beta;
    public readonly ArrayView<int> Sets = sets;
    public readonly int Lanes = lanes;
}
