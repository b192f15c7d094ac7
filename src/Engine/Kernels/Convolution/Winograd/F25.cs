using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m1 = Vector256.Load(source + sourceStep);
            Vector256<float> m2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> m3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> m4 = Vector256.Load(source + 4 * sourceStep);
            (Vector256.Load(source) + ((m1 + m2) + (m3 + m4))).Store(target);
            (Vector256.FusedMultiplyAdd(Vector256.Create(2f), m3 - m4, m1 - m2) + Vector256.Load(source + 5 * sourceStep))
                .Store(target + targetStep);
        }
    }

    /// <summary>G: 5 taps to 6 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 5;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> g0 = Vector256.Load(source);
            Vector256<float> g1 = Vector256.Load(source + sourceStep);
            Vector256<float> g2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> g3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> g4 = Vector256.Load(source + 4 * sourceStep);
            Vector256<float> minusSixth = Vector256.Create(-1f / 6);
            (g0 * Vector256.Create(0.25f)).Store(target);
            Vector256<float> even = (g0 + g2 + g4) * minusSixth, odd = (g1 + g3) * minusSixth;
            (even + odd).Store(target + targetStep);
            (even - odd).Store(target + 2 * targetStep);
            even = Vector256.FusedMultiplyAdd(
                g0, Vector256.Create(1f / 24), Vector256.FusedMultiplyAdd(g2, Vector256.Create(1f / 6), g4 * Vector256.Create(2f / 3)));
            odd = Vector256.FusedMultiplyAdd(g1, Vector256.Create(1f / 12), g3 * Vector256.Create(1f / 3));
            (even + odd).Store(target + 3 * targetStep);
            (even - odd).Store(target + 4 * targetStep);
            g4.Store(target + 5 * targetStep);
        }
    }

    /// <summary>A: the gradients of 2 outputs to 6 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 2;

        public static int Outputs => 6;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> d0 = Vector256.Load(source);
            Vector256<float> d1 = Vector256.Load(source + sourceStep);
            Vector256<float> twice = d1 + d1;
            d0.Store(target);
            (d0 + d1).Store(target + targetStep);
            (d0 - d1).Store(target + 2 * targetStep);
            (d0 + twice).Store(target + 3 * targetStep);
            (d0 - twice).Store(target + 4 * targetStep);
            d1.Store(target + 5 * targetStep);
        }
    }

    /// <summary>Gᵀ: 6 points to the gradients of 5 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 6;

        public static int Outputs => 5;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m1 = Vector256.Load(source + sourceStep);
            Vector256<float> m2 = Vector256.Load(source + 2 * sourceStep);
            Vector256<float> m3 = Vector256.Load(source + 3 * sourceStep);
            Vector256<float> m4 = Vector256.Load(source + 4 * sourceStep);
            Vector256<float> sixth = Vector256.Create(1f / 6);
            Vector256<float> sum1 = (m1 + m2) * sixth, difference1 = (m2 - m1) * sixth;
            Vector256<float> sum2 = m3 + m4, difference2 = m3 - m4;
            Vector256<float> first = Vector256.FusedMultiplyAdd(Vector256.Create(0.25f), Vector256.Load(source), -sum1);
            Vector256.FusedMultiplyAdd(Vector256.Create(1f / 24), sum2, first).Store(target);
            Vector256.FusedMultiplyAdd(Vector256.Create(1f / 12), difference2, difference1).Store(target + targetStep);
            Vector256.FusedMultiplyAdd(sixth, sum2, -sum1).Store(target + 2 * targetStep);
            Vector256.FusedMultiplyAdd(Vector256.Create(1f / 3), difference2, difference1).Store(target + 3 * targetStep);
            (Vector256.FusedMultiplyAdd(Vector256.Create(2f / 3), sum2, -sum1) + Vector256.Load(source + 5 * sourceStep))
                .Store(target + 4 * targetStep);
        }
    }
}
