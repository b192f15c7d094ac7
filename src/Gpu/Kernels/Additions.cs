using ILGPU;

namespace ConvNet.Gpu.Kernels;

/// <summary>The order of additions of a plan, for kernels: add leaf right to leaf left, one after the other.</summary>
/// <param name="steps">For each addition left, right, and the samples below both.</param>
/// <param name="count">Additions.</param>
/// <param name="samples">Of all shards.</param>
internal readonly struct Additions(ArrayView<int> steps, int count, int samples)
{
    public readonly int Count = count;
    public readonly int Samples = samples;
    public readonly ArrayView<int> Steps = steps;

    public int Left(int addition) => Steps[4 * addition];

    public int Right(int addition) => Steps[4 * addition + 1];

    public int LeftSamples(int addition) => Steps[4 * addition + 2];

    public int RightSamples(int addition) => Steps[4 * addition + 3];
}
