using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// The inner loops of a direct convolution, and of the products of Winograd's algorithm.
/// A tile is some pixels × two vectors of output channels, held in registers over the whole sum, so that each input value and each weight
/// is loaded once for many FMAs. Its picture, [pixel][channels], with what it takes of the processor's vector registers:
/// <code>
/// narrow, 16 registers: 6 pixels × 16 channels     wide, 32 registers: 12 pixels × 32 channels
///         w0    w1                                          w0     w1
///   x0    a0    b0                                    x0    a0     b0
///   ..    ..    ..                                    ..    ..     ..
///   x5    a5    b5                                    x11   a11    b11
///   12 sums, 2 weights, 1 input                       24 sums, 2 weights, 1 input
/// </code>
/// Wide tiles of 6 pixels do what the 12 leave over. A last panel of up to 16 channels falls to tiles of 12 pixels × one wide vector, and of 6 × two
/// narrow ones.
/// A pixel is summed over input channel blocks, then taps, then channels of the block, whichever tile and lane it falls into.
/// </summary>
internal static unsafe class TileKernel
{
    /// <summary>Pixels come in multiples of this.</summary>
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

        /// <summary>
        /// Floats from the panel's first vector of output channels to its second; in a panel of 16, from the first 8 to the second.
        /// </summary>
        public nint VectorStep;

        /// <summary>Floats from a vector's first 8 output channels to its second 8.</summary>
        public nint Plane;

        /// <summary>The same of the panel's last vector: 0 if there is no second 8.</summary>
        public nint LastPlane;

        /// <summary>[tap][channel][<see cref="Width"/>], first the taps of full blocks, then those of the last block if it has fewer than 8 channels.</summary>
        public float* Weights;

        /// <summary>An initial value for each output channel of the panel.</summary>
        public float* Bias;

        /// <summary>For each (channel block, tap) its offset from a pixel's first input value.</summary>
        public int* Taps;

        public int FullTaps;

        public int TailTaps;

        public int TailChannels;
    }

    /// <summary>Output channels of a panel of which <paramref name="channels"/> are left: two vectors, or the last 16.</summary>
    public static int Width<T>(int channels)
        where T : struct, IFloats<T> => channels > 16 ? 2 * T.Count : 16;

    /// <summary>All pixels × one panel.</summary>
    /// <param name="channels">Output channels that are left.</param>
    public static void Run<T>(in Job job, int channels)
        where T : struct, IFloats<T>
    {
        if (channels <= 8)
        {
            Run6x1(in job);
        }
        else if (channels <= T.Count)
        {
            Run6x2<Floats8>(in job, VectorWidth.IsSplit ? 0 : Run12x1<T>(in job));
        }
        else
        {
            Run6x2<T>(in job, T.Count == 8 ? 0 : Run12x2<T>(in job));
        }
    }

    // Long because the sums must be locals: the JIT keeps arrays and refs in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run12x2<T>(in Job job)
        where T : struct, IFloats<T>
    {
        int taps = job.FullTaps + job.TailTaps;
        int full = job.FullTaps;
        int tail = job.TailChannels;
        nint step = job.VectorStep, plane = job.Plane, lastPlane = job.LastPlane;
        int pixel = 0;
        for (; pixel + 12 <= job.PixelCount; pixel += 12)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0], x1 = job.Source + offsets[1], x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3], x4 = job.Source + offsets[4], x5 = job.Source + offsets[5];
            float* x6 = job.Source + offsets[6], x7 = job.Source + offsets[7], x8 = job.Source + offsets[8];
            float* x9 = job.Source + offsets[9], x10 = job.Source + offsets[10], x11 = job.Source + offsets[11];
            T a0 = T.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;
            T b0 = T.Load(job.Bias + T.Count), b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0, b6 = b0, b7 = b0, b8 = b0, b9 = b0, b10 = b0, b11 = b0;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < full ? 8 : tail);
                do
                {
                    T w0 = T.Load(w);
                    T w1 = T.Load(w + T.Count);
                    T x = T.Create(x0[offset]);
                    a0.AddProduct(x, w0);
                    b0.AddProduct(x, w1);
                    x = T.Create(x1[offset]);
                    a1.AddProduct(x, w0);
                    b1.AddProduct(x, w1);
                    x = T.Create(x2[offset]);
                    a2.AddProduct(x, w0);
                    b2.AddProduct(x, w1);
                    x = T.Create(x3[offset]);
                    a3.AddProduct(x, w0);
                    b3.AddProduct(x, w1);
                    x = T.Create(x4[offset]);
                    a4.AddProduct(x, w0);
                    b4.AddProduct(x, w1);
                    x = T.Create(x5[offset]);
                    a5.AddProduct(x, w0);
                    b5.AddProduct(x, w1);
                    x = T.Create(x6[offset]);
                    a6.AddProduct(x, w0);
                    b6.AddProduct(x, w1);
                    x = T.Create(x7[offset]);
                    a7.AddProduct(x, w0);
                    b7.AddProduct(x, w1);
                    x = T.Create(x8[offset]);
                    a8.AddProduct(x, w0);
                    b8.AddProduct(x, w1);
                    x = T.Create(x9[offset]);
                    a9.AddProduct(x, w0);
                    b9.AddProduct(x, w1);
                    x = T.Create(x10[offset]);
                    a10.AddProduct(x, w0);
                    b10.AddProduct(x, w1);
                    x = T.Create(x11[offset]);
                    a11.AddProduct(x, w0);
                    b11.AddProduct(x, w1);
                    w += 2 * T.Count;
                }
                while (++offset < end);
            }

            offsets = job.DestinationOffsets + pixel;
            Store(job.Destination + offsets[0], plane, step, lastPlane, a0, b0);
            Store(job.Destination + offsets[1], plane, step, lastPlane, a1, b1);
            Store(job.Destination + offsets[2], plane, step, lastPlane, a2, b2);
            Store(job.Destination + offsets[3], plane, step, lastPlane, a3, b3);
            Store(job.Destination + offsets[4], plane, step, lastPlane, a4, b4);
            Store(job.Destination + offsets[5], plane, step, lastPlane, a5, b5);
            Store(job.Destination + offsets[6], plane, step, lastPlane, a6, b6);
            Store(job.Destination + offsets[7], plane, step, lastPlane, a7, b7);
            Store(job.Destination + offsets[8], plane, step, lastPlane, a8, b8);
            Store(job.Destination + offsets[9], plane, step, lastPlane, a9, b9);
            Store(job.Destination + offsets[10], plane, step, lastPlane, a10, b10);
            Store(job.Destination + offsets[11], plane, step, lastPlane, a11, b11);
        }

        return pixel;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run12x1<T>(in Job job)
        where T : struct, IFloats<T>
    {
        int taps = job.FullTaps + job.TailTaps;
        int full = job.FullTaps;
        int tail = job.TailChannels;
        int pixel = 0;
        for (; pixel + 12 <= job.PixelCount; pixel += 12)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0], x1 = job.Source + offsets[1], x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3], x4 = job.Source + offsets[4], x5 = job.Source + offsets[5];
            float* x6 = job.Source + offsets[6], x7 = job.Source + offsets[7], x8 = job.Source + offsets[8];
            float* x9 = job.Source + offsets[9], x10 = job.Source + offsets[10], x11 = job.Source + offsets[11];
            T a0 = T.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < full ? 8 : tail);
                do
                {
                    T w0 = T.Load(w);
                    a0.AddProduct(T.Create(x0[offset]), w0);
                    a1.AddProduct(T.Create(x1[offset]), w0);
                    a2.AddProduct(T.Create(x2[offset]), w0);
                    a3.AddProduct(T.Create(x3[offset]), w0);
                    a4.AddProduct(T.Create(x4[offset]), w0);
                    a5.AddProduct(T.Create(x5[offset]), w0);
                    a6.AddProduct(T.Create(x6[offset]), w0);
                    a7.AddProduct(T.Create(x7[offset]), w0);
                    a8.AddProduct(T.Create(x8[offset]), w0);
                    a9.AddProduct(T.Create(x9[offset]), w0);
                    a10.AddProduct(T.Create(x10[offset]), w0);
                    a11.AddProduct(T.Create(x11[offset]), w0);
                    w += 16;
                }
                while (++offset < end);
            }

            offsets = job.DestinationOffsets + pixel;
            a0.StoreBlocks(job.Destination + offsets[0], job.LastPlane);
            a1.StoreBlocks(job.Destination + offsets[1], job.LastPlane);
            a2.StoreBlocks(job.Destination + offsets[2], job.LastPlane);
            a3.StoreBlocks(job.Destination + offsets[3], job.LastPlane);
            a4.StoreBlocks(job.Destination + offsets[4], job.LastPlane);
            a5.StoreBlocks(job.Destination + offsets[5], job.LastPlane);
            a6.StoreBlocks(job.Destination + offsets[6], job.LastPlane);
            a7.StoreBlocks(job.Destination + offsets[7], job.LastPlane);
            a8.StoreBlocks(job.Destination + offsets[8], job.LastPlane);
            a9.StoreBlocks(job.Destination + offsets[9], job.LastPlane);
            a10.StoreBlocks(job.Destination + offsets[10], job.LastPlane);
            a11.StoreBlocks(job.Destination + offsets[11], job.LastPlane);
        }

        return pixel;
    }

    // The bias is loaded for each tile: held in two more registers over the loop it would make 17, and every FMA would need a longer
    // encoding (or a spill without AVX-512).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run6x2<T>(in Job job, int pixel)
        where T : struct, IFloats<T>
    {
        int taps = job.FullTaps + job.TailTaps;
        int full = job.FullTaps;
        int tail = job.TailChannels;
        nint step = job.VectorStep, plane = job.Plane, lastPlane = job.LastPlane;
        for (; pixel < job.PixelCount; pixel += 6)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0], x1 = job.Source + offsets[1], x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3], x4 = job.Source + offsets[4], x5 = job.Source + offsets[5];
            T a0 = T.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
            T b0 = T.Load(job.Bias + T.Count), b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < full ? 8 : tail);
                do
                {
                    T w0 = T.Load(w);
                    T w1 = T.Load(w + T.Count);
                    T x = T.Create(x0[offset]);
                    a0.AddProduct(x, w0);
                    b0.AddProduct(x, w1);
                    x = T.Create(x1[offset]);
                    a1.AddProduct(x, w0);
                    b1.AddProduct(x, w1);
                    x = T.Create(x2[offset]);
                    a2.AddProduct(x, w0);
                    b2.AddProduct(x, w1);
                    x = T.Create(x3[offset]);
                    a3.AddProduct(x, w0);
                    b3.AddProduct(x, w1);
                    x = T.Create(x4[offset]);
                    a4.AddProduct(x, w0);
                    b4.AddProduct(x, w1);
                    x = T.Create(x5[offset]);
                    a5.AddProduct(x, w0);
                    b5.AddProduct(x, w1);
                    w += 2 * T.Count;
                }
                while (++offset < end);
            }

            offsets = job.DestinationOffsets + pixel;
            Store(job.Destination + offsets[0], plane, step, lastPlane, a0, b0);
            Store(job.Destination + offsets[1], plane, step, lastPlane, a1, b1);
            Store(job.Destination + offsets[2], plane, step, lastPlane, a2, b2);
            Store(job.Destination + offsets[3], plane, step, lastPlane, a3, b3);
            Store(job.Destination + offsets[4], plane, step, lastPlane, a4, b4);
            Store(job.Destination + offsets[5], plane, step, lastPlane, a5, b5);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run6x1(in Job job)
    {
        int taps = job.FullTaps + job.TailTaps;
        int full = job.FullTaps;
        int tail = job.TailChannels;
        for (int pixel = 0; pixel < job.PixelCount; pixel += 6)
        {
            int* offsets = job.SourceOffsets + pixel;
            float* x0 = job.Source + offsets[0], x1 = job.Source + offsets[1], x2 = job.Source + offsets[2];
            float* x3 = job.Source + offsets[3], x4 = job.Source + offsets[4], x5 = job.Source + offsets[5];
            Floats8 a0 = Floats8.Load(job.Bias), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
            float* w = job.Weights;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = job.Taps[tap];
                nint end = offset + (tap < full ? 8 : tail);
                do
                {
                    Floats8 w0 = Floats8.Load(w);
                    a0.AddProduct(Floats8.Create(x0[offset]), w0);
                    a1.AddProduct(Floats8.Create(x1[offset]), w0);
                    a2.AddProduct(Floats8.Create(x2[offset]), w0);
                    a3.AddProduct(Floats8.Create(x3[offset]), w0);
                    a4.AddProduct(Floats8.Create(x4[offset]), w0);
                    a5.AddProduct(Floats8.Create(x5[offset]), w0);
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
    private static void Store<T>(float* destination, nint plane, nint step, nint lastPlane, T first, T second)
        where T : struct, IFloats<T>
    {
        first.StoreBlocks(destination, plane);
        second.StoreBlocks(destination + step, lastPlane);
    }
}
