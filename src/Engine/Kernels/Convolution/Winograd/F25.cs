using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// F(2, 5): 2 outputs of a 5-tap filter from 6 inputs with 6 products, at the points of <see cref="F4"/>, whose input transform it shares.
/// Source: Lavin, Gray, "Fast algorithms for convolutional neural networks" (2015).
/// </summary>
internal static unsafe class F25
{
    /// <summary>Aᵀ: 6 points to 2 outputs.</summary>
    public readonly struct Output : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T m1 = T.Load(source + sourceStep);
            T m2 = T.Load(source + 2 * sourceStep);
            T m3 = T.Load(source + 3 * sourceStep);
            T m4 = T.Load(source + 4 * sourceStep);
            (T.Load(source) + ((m1 + m2) + (m3 + m4))).StoreBlocks(target, plane);
            (T.MultiplyAdd(T.Create(2f), m3 - m4, m1 - m2) + T.Load(source + 5 * sourceStep))
                .StoreBlocks(target + targetStep, plane);
        }
    }

    /// <summary>G: 5 taps to 6 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 5;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T g0 = T.Load(source);
            T g1 = T.Load(source + sourceStep);
            T g2 = T.Load(source + 2 * sourceStep);
            T g3 = T.Load(source + 3 * sourceStep);
            T g4 = T.Load(source + 4 * sourceStep);
            T minusSixth = T.Create(-1f / 6);
            (g0 * T.Create(0.25f)).StoreBlocks(target, plane);
            T even = (g0 + g2 + g4) * minusSixth, odd = (g1 + g3) * minusSixth;
            (even + odd).StoreBlocks(target + targetStep, plane);
            (even - odd).StoreBlocks(target + 2 * targetStep, plane);
            even = T.MultiplyAdd(
                g0, T.Create(1f / 24), T.MultiplyAdd(g2, T.Create(1f / 6), g4 * T.Create(2f / 3)));
            odd = T.MultiplyAdd(g1, T.Create(1f / 12), g3 * T.Create(1f / 3));
            (even + odd).StoreBlocks(target + 3 * targetStep, plane);
            (even - odd).StoreBlocks(target + 4 * targetStep, plane);
            g4.StoreBlocks(target + 5 * targetStep, plane);
        }
    }

    /// <summary>A: the gradients of 2 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 2;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T d0 = T.Load(source);
            T d1 = T.Load(source + sourceStep);
            T twice = d1 + d1;
            d0.StoreBlocks(target, plane);
            (d0 + d1).StoreBlocks(target + targetStep, plane);
            (d0 - d1).StoreBlocks(target + 2 * targetStep, plane);
            (d0 + twice).StoreBlocks(target + 3 * targetStep, plane);
            (d0 - twice).StoreBlocks(target + 4 * targetStep, plane);
            d1.StoreBlocks(target + 5 * targetStep, plane);
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 5 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 5;

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
            T sum2 = m3 + m4, difference2 = m3 - m4;
            T first = T.MultiplyAdd(T.Create(0.25f), T.Load(source), -sum1);
            T.MultiplyAdd(T.Create(1f / 24), sum2, first).StoreBlocks(target, plane);
            T.MultiplyAdd(T.Create(1f / 12), difference2, difference1).StoreBlocks(target + targetStep, plane);
            T.MultiplyAdd(sixth, sum2, -sum1).StoreBlocks(target + 2 * targetStep, plane);
            T.MultiplyAdd(T.Create(1f / 3), difference2, difference1).StoreBlocks(target + 3 * targetStep, plane);
            (T.MultiplyAdd(T.Create(2f / 3), sum2, -sum1) + T.Load(source + 5 * sourceStep))
                .StoreBlocks(target + 4 * targetStep, plane);
        }
    }
}
