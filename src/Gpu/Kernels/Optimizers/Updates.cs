using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Optimizers;

/// <summary>
/// The updates of the engine's optimizers, operation by operation: each value by itself. Their numbers are in memory, because a schedule changes them from
/// step to step.
/// </summary>
internal static class Updates
{
    /// <summary><see cref="Sgd"/> without momentum.</summary>
    public static void Descend(Index1D i, ArrayView<Float32> w, ArrayView<Float32> g, ArrayView<UpdateNumbers> numbers)
    {
        UpdateNumbers n = numbers[0];
        w[i] = Float32.Fma(n.Rate, Joined(n, w[i], g[i]), w[i]);
    }

    /// <summary><see cref="Sgd"/> with momentum.</summary>
    public static void DescendWithMomentum(
        Index1D i, ArrayView<Float32> w, ArrayView<Float32> g, ArrayView<Float32> buffers, ArrayView<UpdateNumbers> numbers, int nesterov)
    {
        UpdateNumbers n = numbers[0];
        Float32 d = Joined(n, w[i], g[i]);
        Float32 buffer = Float32.Fma(n.Momentum, buffers[i], d);
        buffers[i] = buffer;
        d = nesterov != 0 ? Float32.Fma(n.Momentum, buffer, d) : buffer;
        w[i] = Float32.Fma(n.Rate, d, w[i]);
    }

    /// <summary><see cref="Adam"/> and <see cref="AdamW"/>.</summary>
    public static void Adapt(
        Index1D i, ArrayView<Float32> w, ArrayView<Float32> g, ArrayView<Float32> means, ArrayView<Float32> squares, ArrayView<UpdateNumbers> numbers)
    {
        UpdateNumbers n = numbers[0];
        Float32 d = Joined(n, w[i], g[i]);
        Float32 m = Float32.Fma(n.NewShare1, d - means[i], means[i]);
        Float32 v = Float32.Fma(n.NewShare2 * d, d, n.Beta2 * squares[i]);
        means[i] = m;
        squares[i] = v;
        Float32 update = m / (Float32.Sqrt(v) / n.RootCorrection + n.Epsilon);
        w[i] = Float32.Fma(n.Rate, update, n.Shrink * w[i]);
    }

    /// <summary><see cref="Lars"/>.</summary>
    /// <param name="rates">For each block of <see cref="Parameter.BlockSize"/> values its tensor's.</param>
    public static void Scale(
        Index1D i,
        ArrayView<Float32> w,
        ArrayView<Float32> g,
        ArrayView<Float32> buffers,
        ArrayView<Float32> rates,
        ArrayView<UpdateNumbers> numbers)
    {
        UpdateNumbers n = numbers[0];
        Float32 d = rates[i / Parameter.BlockSize] * Joined(n, w[i], g[i]);
        Float32 buffer = Float32.Fma(n.Momentum, buffers[i], d);
        buffers[i] = buffer;
        w[i] = Float32.Fma(n.Rate, buffer, w[i]);
    }

    /// <summary>The clipped gradient with the weight decay that joins it.</summary>
    private static Float32 Joined(UpdateNumbers n, Float32 w, Float32 g) => Float32.Fma(n.Decay, w, g * n.Clip);
}
