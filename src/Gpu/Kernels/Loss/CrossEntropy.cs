using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Loss;

/// <summary>Softmax and cross-entropy of samples, in double from float logits, as the engine's SoftmaxCrossEntropy computes them.</summary>
internal static class CrossEntropy
{
    /// <summary>The class with the largest logit, the first of equal ones. An item is a sample.</summary>
    /// <param name="logits">(samples, lanes).</param>
    public static void Winners(Index1D n, ArrayView<Float32> logits, ArrayView<int> winners, int classes, int lanes)
    {
        int best = 0;
        for (int k = 1; k < classes; k++)
        {
            best = logits[n * lanes + k] > logits[n * lanes + best] ? k : best;
        }

        winners[n] = best;
    }

    /// <summary>exp(logit − largest logit). An item is a class of a sample.</summary>
    /// <param name="exponentials">(samples, classes).</param>
    public static void Exponentials(
        Index1D i, ArrayView<Float32> logits, ArrayView<int> winners, ArrayView<Float64> exponentials, int classes, int lanes)
    {
        int n = i / classes;
        int k = i - n * classes;
        exponentials[i] = DeviceMath.Exp((Float64)logits[n * lanes + k] - logits[n * lanes + winners[n]]);
    }

    /// <summary>The loss of each sample, and the sum of its exponentials. An item is a sample.</summary>
    public static void Losses(
        Index1D n,
        ArrayView<Float32> logits,
        ArrayView<int> labels,
        ArrayView<int> winners,
        ArrayView<Float64> exponentials,
        ArrayView<Float64> totals,
        ArrayView<Float64> losses,
        Classes sizes)
    {
        Float64 total = Float64.Zero;
        for (int k = 0; k < sizes.Count; k++)
        {
            total = total + exponentials[n * sizes.Count + k];
        }

        totals[n] = total;
        int at = n * sizes.Lanes;
        losses[n] = DeviceMath.LogFromOne(total) - ((Float64)logits[at + labels[n]] - logits[at + winners[n]]);
    }

    /// <summary>dlogits = (softmax − one-hot)·scale. An item is a lane of a sample.</summary>
    public static void Gradients(
        Index1D i,
        ArrayView<int> labels,
        ArrayView<Float64> exponentials,
        ArrayView<Float64> totals,
        ArrayView<Float32> gradient,
        Classes sizes,
        double scale)
    {
        int n = i / sizes.Lanes;
        int k = i - n * sizes.Lanes;
        if (k >= sizes.Count)
        {
            gradient[i] = Float32.Zero;
            return;
        }

        Float64 oneHot = k == labels[n] ? 1.0 : 0.0;
        gradient[i] = (Float32)((exponentials[n * sizes.Count + k] / totals[n] - oneHot) * scale);
    }
}
