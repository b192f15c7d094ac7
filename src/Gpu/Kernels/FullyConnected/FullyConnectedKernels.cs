using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.FullyConnected;

/// <summary>
/// A fully connected layer in the orders of the engine's DirectConvolution with one pixel: an output starts with its bias and takes one fma for each
/// input in order; an input's gradient starts at 0 and takes one for each output; a weight's leaf adds runs of up to 128 samples, each
/// summed from 0, counted from the shard's first sample. Values are flat, with samples padded to whole blocks of 8.
/// </summary>
internal static class FullyConnectedKernels
{
    /// <summary>Samples of a run.</summary>
    private const int Run = 128;

    /// <summary>(K, C) to (C, K), so that neighbouring threads of forward read neighbouring weights.</summary>
    public static void Transpose(Index1D i, ArrayView<Float32> weights, ArrayView<Float32> transposed, int inputs, int outputs)
    {
        int c = i / outputs;
        int k = i - c * outputs;
        transposed[i] = weights[k * inputs + c];
    }

    /// <summary>An item is an output value of a sample.</summary>
    /// <param name="weights">(C, K).</param>
    /// <param name="bias">(K), zeros without a bias.</param>
    public static void Forward(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> y, ArrayView<Float32> weights, ArrayView<Float32> bias, int inputs, int outputs)
    {
        int n = i / outputs;
        int k = i - n * outputs;
        int at = n * Padded(inputs);
        Float32 sum = bias[k];
        for (int c = 0; c < inputs; c++)
        {
            sum = Float32.Fma(x[at + c], weights[c * outputs + k], sum);
        }

        y[n * Padded(outputs) + k] = sum;
    }

    /// <summary>An item is an input value of a sample.</summary>
    /// <param name="weights">(K, C).</param>
    public static void BackwardData(Index1D i, ArrayView<Float32> dy, ArrayView<Float32> dx, ArrayView<Float32> weights, int inputs, int outputs)
    {
        int n = i / inputs;
        int c = i - n * inputs;
        int at = n * Padded(outputs);
        Float32 sum = Float32.Zero;
        for (int k = 0; k < outputs; k++)
        {
            sum = Float32.Fma(dy[at + k], weights[k * inputs + c], sum);
        }

        dx[n * Padded(inputs) + c] = sum;
    }

    /// <summary>An item is a weight of a shard.</summary>
    /// <param name="first">First[s] … First[s + 1] − 1 are the samples of shard s.</param>
    /// <param name="leaves">(shards, K, C).</param>
    public static void BackwardWeights(
        Index1D i, ArrayView<Float32> x, ArrayView<Float32> dy, ArrayView<int> first, ArrayView<Float32> leaves, int inputs, int outputs)
    {
        int row = i / inputs;
        int c = i - row * inputs;
        int shard = row / outputs;
        int k = row - shard * outputs;
        int end = first[shard + 1];
        Float32 leaf = Float32.Zero;
        for (int n = first[shard]; n < end;)
        {
            int runEnd = IntrinsicMath.Min(n + Run, end);
            Float32 sum = Float32.Zero;
            for (; n < runEnd; n++)
            {
                sum = Float32.Fma(x[n * Padded(inputs) + c], dy[n * Padded(outputs) + k], sum);
            }

            leaf = leaf + sum;
        }

        leaves[i] = leaf;
    }

    /// <summary>An item is a bias of a shard.</summary>
    /// <param name="leaves">(shards, K).</param>
    public static void BackwardBias(Index1D i, ArrayView<Float32> dy, ArrayView<int> first, ArrayView<Float32> leaves, int outputs)
    {
        int shard = i / outputs;
        int k = i - shard * outputs;
        int end = first[shard + 1];
        Float32 leaf = Float32.Zero;
        for (int n = first[shard]; n < end;)
        {
            int runEnd = IntrinsicMath.Min(n + Run, end);
            Float32 sum = Float32.Zero;
            for (; n < runEnd; n++)
            {
                sum = sum + dy[n * Padded(outputs) + k];
            }

            leaf = leaf + sum;
        }

        leaves[i] = leaf;
    }

    private static int Padded(int values) => (values + 7) & ~7;
}
