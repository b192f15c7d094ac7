using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// The inner loops of a direct convolution, and of the products of Winograd's algorithm.
/// A tile is 6 pixels × 16 (or 8) output channels, held in registers over the whole sum:
/// with 12 accumulators the two FMA pipes stay full, and each input value and each weight is loaded once for 12 FMAs.
/// A pixel is summed over input channel blocks, then taps, then channels of the block, whichever tile it falls into.
/// </summary>
internal static unsafe class TileKernel
{
    /// <summary>Pixels in a tile.</summary>
    public const int Pixels = 6;

    /// <summary>Where one panel of weights is applied.</summary>
    public struct Job
    {
        /// <summary>The input that offsets count from.</summary>
        public float* Source;

        public float* Destination;

        /// <summary>
        /// For each output pixel: offset of its first input value, and of its output vector.
        /// A multiple of 6 entries; those past the last pixel are computed, too, and must do no harm.
        /// </summary>
        public int* SourceOffsets;

        public int* DestinationOffsets;

        /// <summary>Entries of the two tables.</summary>
        public int PixelCount;

        /// <summary>Floats from the panel's first 8 output channels to its second 8.</summary>
        public int DestinationPlane;

        /// <summary>[tap][channel][16], first the taps of full blocks, then those of the last block if it has fewer than 8 channels.</summary>
        public float* Weights;

        /// <summary>16 initial values.</summary>
        public float* Bias;

        /// <summary>For each (channel block, tap) its offset from a pixel's first input value.</summary>
        public int* Taps;

        public int FullTaps;

        public int TailTaps;

        public int TailChannels;
    }

    /// <summary>All pixels × 16 output channels.</summary>
    // Long because the accumulators must be locals: the JIT keeps arrays and refs in memory. The bias is loaded for each tile: held in
    // two more registers over the loop it would make 17, and every FMA would need a longer encoding (or a spill without AVX-512).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run16(in Job job)
    {
        int taps = job.FullTaps + job.TailTaps;
        int full = job.FullTaps;
        int tail = job.TailChannels;
        int plane = job.DestinationPlane;
        for (int pixel = 0; pixel < job.PixelCount; pixel += Pixels)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0];
            float* x1 = job.Source + offsets[1];
            float* x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3];
            float* x4 = job.Source + offsets[4];
            float* x5 = job.Source + offsets[5];
            Vector256<float> a0 = Vector256.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
            Vector256<float> b0 = Vector256.Load(job.Bias + 8), b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < full ? 8 : tail);
                do
                {
                    Vector256<float> w0 = Vector256.Load(w);
                    Vector256<float> w1 = Vector256.Load(w + 8);
                    Vector256<float> x = Vector256.Create(x0[offset]);
                    a0 = Vector256.FusedMultiplyAdd(x, w0, a0);
                    b0 = Vector256.FusedMultiplyAdd(x, w1, b0);
                    x = Vector256.Create(x1[offset]);
                    a1 = Vector256.FusedMultiplyAdd(x, w0, a1);
                    b1 = Vector256.FusedMultiplyAdd(x, w1, b1);
                    x = Vector256.Create(x2[offset]);
                    a2 = Vector256.FusedMultiplyAdd(x, w0, a2);
                    b2 = Vector256.FusedMultiplyAdd(x, w1, b2);
                    x = Vector256.Create(x3[offset]);
                    a3 = Vector256.FusedMultiplyAdd(x, w0, a3);
                    b3 = Vector256.FusedMultiplyAdd(x, w1, b3);
                    x = Vector256.Create(x4[offset]);
                    a4 = Vector256.FusedMultiplyAdd(x, w0, a4);
                    b4 = Vector256.FusedMultiplyAdd(x, w1, b4);
                    x = Vector256.Create(x5[offset]);
                    a5 = Vector256.FusedMultiplyAdd(x, w0, a5);
                    b5 = Vector256.FusedMultiplyAdd(x, w1, b5);
                    w += 16;
                }
                while (++offset < end);
            }

            offsets = job.DestinationOffsets + pixel;
            Store(job.Destination + offsets[0], plane, a0, b0);
            Store(job.Destination + offsets[1], plane, a1, b1);
            Store(job.Destination + offsets[2], plane, a2, b2);
            Store(job.Destination + offsets[3], plane, a3, b3);
            Store(job.Destination + offsets[4], plane, a4, b4);
            Store(job.Destination + offsets[5], plane, a5, b5);
        }
    }

    /// <summary>All pixels × the first 8 output channels of a panel: the last panel when the number of blocks is odd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run8(in Job job)
    {
        Vector256<float> bias = Vector256.Load(job.Bias);
        int taps = job.FullTaps + job.TailTaps;
        for (int pixel = 0; pixel < job.PixelCount; pixel += Pixels)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0];
            float* x1 = job.Source + offsets[1];
            float* x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3];
            float* x4 = job.Source + offsets[4];
            float* x5 = job.Source + offsets[5];
            Vector256<float> a0 = bias, a1 = bias, a2 = bias, a3 = bias, a4 = bias, a5 = bias;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < job.FullTaps ? 8 : job.TailChannels);
                do
                {
                    Vector256<float> w0 = Vector256.Load(w);
                    a0 = Vector256.FusedMultiplyAdd(Vector256.Create(x0[offset]), w0, a0);
                    a1 = Vector256.FusedMultiplyAdd(Vector256.Create(x1[offset]), w0, a1);
                    a2 = Vector256.FusedMultiplyAdd(Vector256.Create(x2[offset]), w0, a2);
                    a3 = Vector256.FusedMultiplyAdd(Vector256.Create(x3[offset]), w0, a3);
                    a4 = Vector256.FusedMultiplyAdd(Vector256.Create(x4[offset]), w0, a4);
                    a5 = Vector256.FusedMultiplyAdd(Vector256.Create(x5[offset]), w0, a5);
                    w += 16;
                }
                while (++offset < end);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* destination, int plane, Vector256<float> low, Vector256<float> high)
    {
        low.Store(destination);
        high.Store(destination + plane);
    }
}
