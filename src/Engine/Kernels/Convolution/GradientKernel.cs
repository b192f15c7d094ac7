using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// The inner loop of a weight gradient: 6 weights (tap, input channel) × 16 output channels stay in registers over a run of pixels.
/// </summary>
internal static unsafe class GradientKernel
{
    /// <summary>Weights in a group.</summary>
    public const int Pairs = 6;

    /// <summary>
    /// dWeight[pair][16] += Σ over pixels of x[offset of x + pairOffsets[pair]] · dy[offset of dy + 0 … 7 and plane + 0 … 7].
    /// The sum over the pixels is formed in registers from zero and added once.
    /// </summary>
    /// <param name="offsets">For each pixel its offset in x and its offset in dy: one table leaves enough registers for the loop.</param>
    /// <param name="plane">From the first 8 output channels of a pixel to the second 8.</param>
    /// <param name="pairCount">A multiple of 6.</param>
    /// <param name="overwrite">True to store the sum in place of adding it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        float* x, float* dy, nint plane, int* offsets, int pixelCount, int* pairOffsets, int pairCount, float* dWeight, bool overwrite = false)
    {
        int* end = offsets + 2 * (nint)pixelCount;
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
            for (int* pixel = offsets; pixel < end; pixel += 2)
            {
                nint offset = pixel[0];
                float* d = dy + pixel[1];
                Vector256<float> d0 = Vector256.Load(d);
                Vector256<float> d1 = Vector256.Load(d + plane);
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

    /// <summary>dBias[16] += Σ over pixels of dy, formed in registers first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunBias(float* dy, nint plane, int* offsets, int pixelCount, float* dBias)
    {
        Vector256<float> a = default, b = default;
        for (int* pixel = offsets, end = offsets + 2 * (nint)pixelCount; pixel < end; pixel += 2)
        {
            float* d = dy + pixel[1];
            a += Vector256.Load(d);
            b += Vector256.Load(d + plane);
        }

        Add(dBias, a, b);
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
