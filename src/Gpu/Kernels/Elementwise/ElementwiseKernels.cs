using ConvNet.Gpu.Numerics;
using ILGPU;

namespace ConvNet.Gpu.Kernels.Elementwise;

/// <summary>One value by itself: no sum has an order here.</summary>
internal static class ElementwiseKernels
{
    /// <summary>y = max(x, 0); NaN stays.</summary>
    public static void Relu(Index1D i, ArrayView<Float32> x, ArrayView<Float32> y) => y[i] = x[i].WherePositive(x[i]);

    /// <summary>dy = 0 where y ≤ 0.</summary>
    public static void Mask(Index1D i, ArrayView<Float32> y, ArrayView<Float32> dy) => dy[i] = dy[i].WherePositive(y[i]);

    /// <summary>The same, and a copy of the result.</summary>
    public static void MaskAndCopy(Index1D i, ArrayView<Float32> y, ArrayView<Float32> dy, ArrayView<Float32> copy)
    {
        Float32 masked = dy[i].WherePositive(y[i]);
        dy[i] = masked;
        copy[i] = masked;
    }

    /// <summary>y = relu(main + shortcut).</summary>
    public static void AddRelu(Index1D i, ArrayView<Float32> main, ArrayView<Float32> shortcut, ArrayView<Float32> y)
    {
        Float32 sum = main[i] + shortcut[i];
        y[i] = sum.WherePositive(sum);
    }

    /// <summary>left += right.</summary>
    public static void Add(Index1D i, ArrayView<Float32> left, ArrayView<Float32> right) => left[i] = left[i] + right[i];
}
