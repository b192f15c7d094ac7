using System.Runtime.CompilerServices;

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
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T d0 = T.Load(source);
            T d1 = T.Load(source + sourceStep);
            (d0 + d1).StoreBlocks(target, plane);
            d1.StoreBlocks(target + targetStep, plane);
            d0.StoreBlocks(target + 2 * targetStep, plane);
        }
    }

    /// <summary>3 points to 2 outputs.</summary>
    public readonly struct Output : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T m0 = T.Load(source);
            (m0 + T.Load(source + sourceStep)).StoreBlocks(target, plane);
            (m0 + T.Load(source + 2 * sourceStep)).StoreBlocks(target + targetStep, plane);
        }
    }

    /// <summary>3 taps to 3 points.</summary>
    public readonly struct Filter : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T g1 = T.Load(source + sourceStep);
            g1.StoreBlocks(target, plane);
            (T.Load(source + 2 * sourceStep) - g1).StoreBlocks(target + targetStep, plane);
            (T.Load(source) - g1).StoreBlocks(target + 2 * targetStep, plane);
        }
    }

    /// <summary>The gradients of 2 outputs to 3 points.</summary>
    public readonly struct OutputGradient : ILineTransform
    {
        public static int Inputs => 2;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T d0 = T.Load(source);
            T d1 = T.Load(source + sourceStep);
            (d0 + d1).StoreBlocks(target, plane);
            d0.StoreBlocks(target + targetStep, plane);
            d1.StoreBlocks(target + 2 * targetStep, plane);
        }
    }

    /// <summary>3 points to the gradients of 3 taps.</summary>
    public readonly struct FilterGradient : ILineTransform
    {
        public static int Inputs => 3;

        public static int Outputs => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<T>(float* source, nint sourceStep, float* target, nint targetStep, nint plane)
            where T : struct, IFloats<T>
        {
            T m1 = T.Load(source + sourceStep);
            T m2 = T.Load(source + 2 * sourceStep);
            m2.StoreBlocks(target, plane);
            (T.Load(source) - m1 - m2).StoreBlocks(target + targetStep, plane);
            m1.StoreBlocks(target + 2 * targetStep, plane);
        }
    }
}
