using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> four = Vector256.Create(4f), minusFour = Vector256.Create(-4f), minusFive = Vector256.Create(-5f);
            Vector256<float> d0 = Vector256.Load(source);
            Vector256<float> d1 = Vector256.Load(source + sourceStep);
            Vector256<float> d2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> d3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> d4 = Vector256.Load(source + 4 * sourceStep);
            Vector256<float> d5 = Vector256.Load(source + 5 * sourceStep);
            Vector256.FusedMultiplyAdd(four, d0, Vector256.FusedMultiplyAdd(minusFive, d2, d4)).Store(target);
            Vector256<float> even = Vector256.FusedMultiplyAdd(minusFour, d2, d4);
            Vector256<float> odd = Vector256.FusedMultiplyAdd(minusFour, d1, d3);
            (even + odd).Store(target + targetStep);
            (even - odd).Store(target + 2 * targetStep);
            even = d4 - d2;
            odd = d3 - d1;
            odd += odd;
            (even + odd).Store(target + 3 * targetStep);
            (even - odd).Store(target + 4 * targetStep);
            Vector256.FusedMultiplyAdd(four, d1, Vector256.FusedMultiplyAdd(minusFive, d3, d5)).Store(target + 5 * targetStep);
        }
    }

    /// <summary>Aᵀ: 6 points to 4 outputs.</summary>
    public readonly struct Output : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 4;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m1 = Vector256.Load(source + sourceStep);
            Vector256<float> m2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> m3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> m4 = Vector256.Load(source + 4 * sourceStep);
            Vector256<float> sum1 = m1 + m2, difference1 = m1 - m2;
            Vector256<float> sum2 = m3 + m4, difference2 = m3 - m4;
            (Vector256.Load(source) + (sum1 + sum2)).Store(target);
            Vector256.FusedMultiplyAdd(Vector256.Create(2f), difference2, difference1).Store(target + targetStep);
            Vector256.FusedMultiplyAdd(Vector256.Create(4f), sum2, sum1).Store(target + 2 * targetStep);
            (Vector256.FusedMultiplyAdd(Vector256.Create(8f), difference2, difference1) + Vector256.Load(source + 5 * sourceStep))
                .Store(target + 3 * targetStep);
        }
    }

    /// <summary>G: 3 taps to 6 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> g0 = Vector256.Load(source);
            Vector256<float> g1 = Vector256.Load(source + sourceStep);
            Vector256<float> g2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> minusSixth = Vector256.Create(-1f / 6), twelfth = Vector256.Create(1f / 12);
            (g0 * Vector256.Create(0.25f)).Store(target);
            Vector256<float> even = (g0 + g2) * minusSixth, odd = g1 * minusSixth;
            (even + odd).Store(target + targetStep);
            (even - odd).Store(target + 2 * targetStep);
            even = Vector256.FusedMultiplyAdd(g0, Vector256.Create(1f / 24), g2 * Vector256.Create(1f / 6));
            odd = g1 * twelfth;
            (even + odd).Store(target + 3 * targetStep);
            (even - odd).Store(target + 4 * targetStep);
            g2.Store(target + 5 * targetStep);
        }
    }

    /// <summary>A: the gradients of 4 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 4;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> d0 = Vector256.Load(source);
            Vector256<float> d1 = Vector256.Load(source + sourceStep);
            Vector256<float> d2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> d3 = Vector256.Load(source + 3 * sourceStep);
            d0.Store(target);
            Vector256<float> even = d0 + d2, odd = d1 + d3;
            (even + odd).Store(target + targetStep);
            (even - odd).Store(target + 2 * targetStep);
            even = Vector256.FusedMultiplyAdd(Vector256.Create(4f), d2, d0);
            odd = Vector256.FusedMultiplyAdd(Vector256.Create(8f), d3, d1 + d1);
            (even + odd).Store(target + 3 * targetStep);
            (even - odd).Store(target + 4 * targetStep);
            d3.Store(target + 5 * targetStep);
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m1 = Vector256.Load(source + sourceStep);
            Vector256<float> m2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> m3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> m4 = Vector256.Load(source + 4 * sourceStep);
            Vector256<float> sixth = Vector256.Create(1f / 6);
            Vector256<float> sum1 = (m1 + m2) * sixth, difference1 = (m2 - m1) * sixth;
            Vector256<float> sum2 = m3 + m4;
            Vector256<float> first = Vector256.FusedMultiplyAdd(Vector256.Create(0.25f), Vector256.Load(source), -sum1);
            Vector256.FusedMultiplyAdd(Vector256.Create(1f / 24), sum2, first).Store(target);
            Vector256.FusedMultiplyAdd(Vector256.Create(1f / 12), m3 - m4, difference1).Store(target + targetStep);
            (Vector256.FusedMultiplyAdd(sixth, sum2, -sum1) + Vector256.Load(source + 5 * sourceStep)).Store(target + 2 * targetStep);
        }
    }
}
