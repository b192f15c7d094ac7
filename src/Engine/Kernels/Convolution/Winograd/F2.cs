using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// Two outputs of a 3-tap filter over two inputs between zeros, with 3 products: y0 = g1·d0 + g2·d1 and y1 = g0·d0 + g1·d1 share
/// g1·(d0 + d1). It is the 2×2 Toeplitz product, for images that are two pixels wide.
/// Source: Winograd, "Arithmetic complexity of computations" (1980).
/// </summary>
internal static unsafe class F2
{
    /// <summary>2 inputs to 3 points.</summary>
    public readonly struct Input : ILineTransform
    {
        public static int Inputs => 2;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> d0 = Vector256.Load(source);
            Vector256<float> d1 = Vector256.Load(source + sourceStep);
            (d0 + d1).Store(target);
            d1.Store(target + targetStep);
            d0.Store(target + 2 * targetStep);
        }
    }

    /// <summary>3 points to 2 outputs.</summary>
    public readonly struct Output : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m0 = Vector256.Load(source);
            (m0 + Vector256.Load(source + sourceStep)).Store(target);
            (m0 + Vector256.Load(source + 2 * sourceStep)).Store(target + targetStep);
        }
    }

    /// <summary>3 taps to 3 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> g1 = Vector256.Load(source + sourceStep);
            g1.Store(target);
            (Vector256.Load(source + 2 * sourceStep) - g1).Store(target + targetStep);
            (Vector256.Load(source) - g1).Store(target + 2 * targetStep);
        }
    }

    /// <summary>The gradients of 2 outputs to 3 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 2;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> d0 = Vector256.Load(source);
            Vector256<float> d1 = Vector256.Load(source + sourceStep);
            (d0 + d1).Store(target);
            d0.Store(target + targetStep);
            d1.Store(target + 2 * targetStep);
        }
    }

    /// <summary>3 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(float* source, nint sourceStep, float* target, nint targetStep)
        {
            Vector256<float> m1 = Vector256.Load(source + sourceStep);
            Vector256<float> m2 = Vector256.Load(source + 2 * sourceStep);
            m2.Store(target);
            (Vector256.Load(source) - m1 - m2).Store(target + targetStep);
            m1.Store(target + 2 * targetStep);
        }
    }
}
