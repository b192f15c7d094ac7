using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels;

/// <summary>
/// The inner loop of a weight gradient: 6 weights (tap, input channel) × 16 output channels stay in registers over a run of pixels.
/// </summary>
internal static unsafe class GradientKernel
{
    /// <summary>Weights in a group.</summary>
    public const int Pairs = 6;

    /// <summary>
    /// dWeight[pair][16] += Σ over pixels of x[pixelOffsets[pixel] + pairOffsets[pair]] · dy[pixel][16]. The sum over the pixels is
    /// formed in registers from zero and added once.
    /// </summary>
    /// <param name="pairCount">A multiple of 6.</param>
    /// <param name="overwrite">True to store the sum in place of adding it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* x, int* pixelOffsets, int pixelCount, float* dy, int* pairOffsets, int pairCount, float* dWeight, bool overwrite = false)
    {
        for (int pair = 0; pair < pairCount; pair += Pairs)
        {
            float* x0 = x + pairOffsets[pair];
            float* x1 = x + pairOffsets[pair + 1];
            float* x2 = x + pairOffsets[pair + 2];
            float* x3 = x + pairOffsets[pair + 3];
            float* x4 = x + pairOffsets[pair + 4];
            float* x5 = x + pairOffsets[pair + 5];
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
            Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default;
            float* d = dy;
            for (nint pixel = 0; pixel < pixelCount; pixel++)
            {
                nint offset = pixelOffsets[pixel];
                Vector256<float> d0 = Vector256.Load(d);
                Vector256<float> d1 = Vector256.Load(d + 8);
                Vector256<float> v = Vector256.Create(x0[offset]);
                a0 = Vector256.FusedMultiplyAdd(v, d0, a0);
                b0 = Vector256.FusedMultiplyAdd(v, d1, b0);
                v = Vector256.Create(x1[offset]);
                a1 = Vector256.FusedMultiplyAdd(v, d0, a1);
                b1 = Vector256.FusedMultiplyAdd(v, d1, b1);
                v = Vector256.Create(x2[offset]);
                a2 = Vector256.FusedMultiplyAdd(v, d0, a2);
                b2 = Vector256.FusedMultiplyAdd(v, d1, b2);
                v = Vector256.Create(x3[offset]);
                a3 = Vector256.FusedMultiplyAdd(v, d0, a3);
                b3 = Vector256.FusedMultiplyAdd(v, d1, b3);
                v = Vector256.Create(x4[offset]);
                a4 = Vector256.FusedMultiplyAdd(v, d0, a4);
                b4 = Vector256.FusedMultiplyAdd(v, d1, b4);
                v = Vector256.Create(x5[offset]);
                a5 = Vector256.FusedMultiplyAdd(v, d0, a5);
                b5 = Vector256.FusedMultiplyAdd(v, d1, b5);
                d += 16;
            }

            if (overwrite)
            {
                Store(dWeight, a0, b0);
                Store(dWeight + 16, a1, b1);
                Store(dWeight + 32, a2, b2);
                Store(dWeight + 48, a3, b3);
                Store(dWeight + 64, a4, b4);
                Store(dWeight + 80, a5, b5);
                dWeight += 16 * Pairs;
                continue;
            }

            Add(dWeight, a0, b0);
            Add(dWeight + 16, a1, b1);
            Add(dWeight + 32, a2, b2);
            Add(dWeight + 48, a3, b3);
            Add(dWeight + 64, a4, b4);
            Add(dWeight + 80, a5, b5);
            dWeight += 16 * Pairs;
        }
    }

    /// <summary>dBias[16] += Σ over pixels of dy[pixel][16], formed in registers first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunBias(float* dy, int pixelCount, float* dBias)
    {
        Vector256<float> a = default, b = default;
        for (float* end = dy + 16 * (nint)pixelCount; dy < end; dy += 16)
        {
            a += Vector256.Load(dy);
            b += Vector256.Load(dy + 8);
        }

        Add(dBias, a, b);
    }

    /// <summary>Two blocks [pixel][8] to [pixel][16]; zeros in place of a missing second block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* low, float* high, float* both, int pixels)
    {
        for (nint i = 0; i < pixels; i++)
        {
            Vector256.Load(low + 8 * i).Store(both + 16 * i);
            (high != null ? Vector256.Load(high + 8 * i) : default).Store(both + 16 * i + 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* sum, Vector256<float> low, Vector256<float> high)
    {
        (Vector256.Load(sum) + low).Store(sum);
        (Vector256.Load(sum + 8) + high).Store(sum + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* sum, Vector256<float> low, Vector256<float> high)
    {
        low.Store(sum);
        high.Store(sum + 8);
    }
}
