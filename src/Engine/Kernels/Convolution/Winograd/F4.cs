using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// F(4, 3): 4 outputs of a 3-tap filter from 6 inputs with 6 products, at the points 0, 1, −1, 2, −2, ∞.
/// y = Aᵀ((G·g) ⊙ (Bᵀ·d)); the gradient of g is Gᵀ((A·dy) ⊙ (Bᵀ·d)).
/// Source: Lavin, Gray, "Fast algorithms for convolutional neural networks" (2015).
/// </summary>
internal static unsafe class F4
{
    /// <summary>Bᵀ: 6 inputs to 6 points.</summary>
    public readonly struct Input : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T four = T.Create(4f), minusFour = T.Create(-4f), minusFive = T.Create(-5f);
            T d0 = T.Load(source);
            T d1 = T.Load(source + sourceStep);
            T d2 = T.Load(source + 2 * sourceStep);
            T d3 = T.Load(source + 3 * sourceStep);
            T d4 = T.Load(source + 4 * sourceStep);
            T d5 = T.Load(source + 5 * sourceStep);
            T.MultiplyAdd(four, d0, T.MultiplyAdd(minusFive, d2, d4)).StoreBlocks(target, plane);
            T even = T.MultiplyAdd(minusFour, d2, d4);
            T odd = T.MultiplyAdd(minusFour, d1, d3);
            (even + odd).StoreBlocks(target + targetStep, plane);
            (even - odd).StoreBlocks(target + 2 * targetStep, plane);
            even = d4 - d2;
            odd = d3 - d1;
            odd += odd;
            (even + odd).StoreBlocks(target + 3 * targetStep, plane);
            (even - odd).StoreBlocks(target + 4 * targetStep, plane);
            T.MultiplyAdd(four, d1, T.MultiplyAdd(minusFive, d3, d5)).StoreBlocks(target + 5 * targetStep, plane);
        }
    }

    /// <summary>Aᵀ: 6 points to 4 outputs.</summary>
    public readonly struct Output : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 4;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T m1 = T.Load(source + sourceStep);
            T m2 = T.Load(source + 2 * sourceStep);
            T m3 = T.Load(source + 3 * sourceStep);
            T m4 = T.Load(source + 4 * sourceStep);
            T sum1 = m1 + m2, difference1 = m1 - m2;
            T sum2 = m3 + m4, difference2 = m3 - m4;
            (T.Load(source) + (sum1 + sum2)).StoreBlocks(target, plane);
            T.MultiplyAdd(T.Create(2f), difference2, difference1).StoreBlocks(target + targetStep, plane);
            T.MultiplyAdd(T.Create(4f), sum2, sum1).StoreBlocks(target + 2 * targetStep, plane);
            (T.MultiplyAdd(T.Create(8f), difference2, difference1) + T.Load(source + 5 * sourceStep))
                .StoreBlocks(target + 3 * targetStep, plane);
        }
    }

    /// <summary>G: 3 taps to 6 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T g0 = T.Load(source);
            T g1 = T.Load(source + sourceStep);
            T g2 = T.Load(source + 2 * sourceStep);
            T minusSixth = T.Create(-1f / 6), twelfth = T.Create(1f / 12);
            (g0 * T.Create(0.25f)).StoreBlocks(target, plane);
            T even = (g0 + g2) * minusSixth, odd = g1 * minusSixth;
            (even + odd).StoreBlocks(target + targetStep, plane);
            (even - odd).StoreBlocks(target + 2 * targetStep, plane);
            even = T.MultiplyAdd(g0, T.Create(1f / 24), g2 * T.Create(1f / 6));
            odd = g1 * twelfth;
            (even + odd).StoreBlocks(target + 3 * targetStep, plane);
            (even - odd).StoreBlocks(target + 4 * targetStep, plane);
            g2.StoreBlocks(target + 5 * targetStep, plane);
        }
    }

    /// <summary>A: the gradients of 4 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 4;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T d0 = T.Load(source);
            T d1 = T.Load(source + sourceStep);
            T d2 = T.Load(source + 2 * sourceStep);
            T d3 = T.Load(source + 3 * sourceStep);
            d0.StoreBlocks(target, plane);
            T even = d0 + d2, odd = d1 + d3;
            (even + odd).StoreBlocks(target + targetStep, plane);
            (even - odd).StoreBlocks(target + 2 * targetStep, plane);
            even = T.MultiplyAdd(T.Create(4f), d2, d0);
            odd = T.MultiplyAdd(T.Create(8f), d3, d1 + d1);
            (even + odd).StoreBlocks(target + 3 * targetStep, plane);
            (even - odd).StoreBlocks(target + 4 * targetStep, plane);
            d3.StoreBlocks(target + 5 * targetStep, plane);
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T m1 = T.Load(source + sourceStep);
            T m2 = T.Load(source + 2 * sourceStep);
            T m3 = T.Load(source + 3 * sourceStep);
            T m4 = T.Load(source + 4 * sourceStep);
            T sixth = T.Create(1f / 6);
            T sum1 = (m1 + m2) * sixth, difference1 = (m2 - m1) * sixth;
            T sum2 = m3 + m4;
            T first = T.MultiplyAdd(T.Create(0.25f), T.Load(source), -sum1);
            T.MultiplyAdd(T.Create(1f / 24), sum2, first).StoreBlocks(target, plane);
            T.MultiplyAdd(T.Create(1f / 12), m3 - m4, difference1).StoreBlocks(target + targetStep, plane);
            (T.MultiplyAdd(sixth, sum2, -sum1) + T.Load(source + 5 * sourceStep)).StoreBlocks(target + 2 * targetStep, plane);
        }
    }
}
