using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// The inner loops of a depthwise convolution: 8 channels are one vector, and no channel meets another. They have no wide source: a vector of
/// two blocks would be loaded in halves from two planes, and loads are what these loops wait for.
/// </summary>
internal static unsafe class DepthwiseKernel
{
    /// <summary>Taps whose gradients are summed at once.</summary>
    public const int GradientTaps = 6;

    /// <summary>
    /// Tiles of 6 pixels × 8 channels, so that the sums of a tile don't wait for each other. Weights are [tap][8], the bias is 8 values.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TileKernel.Job job)
    {
        for (int pixel = 0; pixel < job.PixelCount; pixel += TileKernel.Pixels)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0];
            float* x1 = job.Source + offsets[1];
            float* x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3];
            float* x4 = job.Source + offsets[4];
            float* x5 = job.Source + offsets[5];
            Vector256<float> a0 = Vector256.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
            for (nint tap = 0; tap < job.FullTaps; tap++)
            {
                nint offset = job.Taps[tap];
                Vector256<float> w = Vector256.Load(job.Weights + 8 * tap);
                a0 = Vector256.FusedMultiplyAdd(Vector256.Load(x0 + offset), w, a0);
                a1 = Vector256.FusedMultiplyAdd(Vector256.Load(x1 + offset), w, a1);
                a2 = Vector256.FusedMultiplyAdd(Vector256.Load(x2 + offset), w, a2);
                a3 = Vector256.FusedMultiplyAdd(Vector256.Load(x3 + offset), w, a3);
                a4 = Vector256.FusedMultiplyAdd(Vector256.Load(x4 + offset), w, a4);
                a5 = Vector256.FusedMultiplyAdd(Vector256.Load(x5 + offset), w, a5);
            }

            offsets = job.DestinationOffsets + pixel;
            a0.Store(job.Destination + offsets[0]);
            a1.Store(job.Destination + offsets[1]);
            a2.Store(job.Destination + offsets[2]);
            a3.Store(job.Destination + offsets[3]);
            a4.Store(job.Destination + offsets[4]);
            a5.Store(job.Destination + offsets[5]);
        }
    }

    /// <summary>dWeight[tap][8] += Σ over pixels of x[pixelOffsets[pixel] + taps[tap]] · dy[pixel], formed in registers from zero.</summary>
    /// <param name="tapCount">A multiple of 6.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunGradient(float* x, int* pixelOffsets, float* dy, int pixelCount, int* taps, int tapCount, float* dWeight)
    {
        for (int tap = 0; tap < tapCount; tap += GradientTaps)
        {
            float* x0 = x + taps[tap];
            float* x1 = x + taps[tap + 1];
            float* x2 = x + taps[tap + 2];
            float* x3 = x + taps[tap + 3];
            float* x4 = x + taps[tap + 4];
            float* x5 = x + taps[tap + 5];
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
            for (nint pixel = 0; pixel < pixelCount; pixel++)
            {
                nint offset = pixelOffsets[pixel];
                Vector256<float> d = Vector256.Load(dy + 8 * pixel);
                a0 = Vector256.FusedMultiplyAdd(Vector256.Load(x0 + offset), d, a0);
                a1 = Vector256.FusedMultiplyAdd(Vector256.Load(x1 + offset), d, a1);
                a2 = Vector256.FusedMultiplyAdd(Vector256.Load(x2 + offset), d, a2);
                a3 = Vector256.FusedMultiplyAdd(Vector256.Load(x3 + offset), d, a3);
                a4 = Vector256.FusedMultiplyAdd(Vector256.Load(x4 + offset), d, a4);
                a5 = Vector256.FusedMultiplyAdd(Vector256.Load(x5 + offset), d, a5);
            }

            Add(dWeight + 8 * tap, a0);
            Add(dWeight + 8 * tap + 8, a1);
            Add(dWeight + 8 * tap + 16, a2);
            Add(dWeight + 8 * tap + 24, a3);
            Add(dWeight + 8 * tap + 32, a4);
            Add(dWeight + 8 * tap + 40, a5);
        }
    }

    /// <summary>dBias[8] += Σ over pixels of dy, formed in registers first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunBias(float* dy, int pixelCount, float* dBias)
    {
        Vector256<float> sum = default;
        for (float* end = dy + 8 * (nint)pixelCount; dy < end; dy += 8)
        {
            sum += Vector256.Load(dy);
        }

        Add(dBias, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* sum, Vector256<float> value) => (Vector256.Load(sum) + value).Store(sum);
}
