using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>
/// The inner loop of a weight gradient: some weights (tap, input channel) × two vectors of output channels stay in registers over a run of
/// pixels. The picture is that of <see cref="TileKernel"/> with weights in place of pixels, and the output's gradients in place of weights:
/// <code>
/// narrow: 6 weights × 16 channels     wide: 12 weights × 32 channels, then the narrow tile's 6 with wide vectors
///         dy0   dy1                            dy0    dy1
///   x0    a0    b0                       x0    a0     b0
///   ..    ..    ..                       ..    ..     ..
///   x5    a5    b5                       x11   a11    b11
/// </code>
/// </summary>
internal static unsafe class GradientKernel
{
    /// <summary>Weights come in multiples of this.</summary>
    public const int Pairs = 6;

    /// <summary>Which products are summed, and where to.</summary>
    public struct Job
    {
        public float* X;

        public float* Dy;

        /// <summary>Floats from a pixel's first vector of output channels to its second.</summary>
        public nint VectorStep;

        /// <summary>Floats from the first vector's first 8 output channels to its second 8.</summary>
        public nint Plane;

        /// <summary>The same of the last vector; 0 if there is no second 8: the first is then summed twice, and nobody reads it.</summary>
        public nint LastPlane;

        /// <summary>For each pixel its offset in x and its offset in dy: one table leaves enough registers for the loop.</summary>
        public int* Offsets;

        public int PixelCount;

        /// <summary>For each weight the offset of its input from a pixel's.</summary>
        public int* PairOffsets;

        /// <summary>A multiple of 6.</summary>
        public int PairCount;

        /// <summary>[pair][<see cref="TileKernel.Width"/>].</summary>
        public float* Sums;

        /// <summary>True to store the sums in place of adding them.</summary>
        public bool Overwrite;

        /// <summary>Where the output channels of a panel lie.</summary>
        /// <param name="blocks">Blocks of 8 channels that are left.</param>
        /// <param name="plane">Floats from one block to the next.</param>
        public void SetPanel<T>(float* dy, int blocks, nint plane)
            where T : struct, IFloats<T>
        {
            int vectors = TileKernel.Width<T>(8 * blocks) / 16;
            Dy = dy;
            Plane = plane;
            LastPlane = blocks < 2 * vectors && blocks % 2 != 0 ? 0 : plane;
            VectorStep = blocks == 1 ? 0 : vectors * plane;
        }
    }

    /// <summary>
    /// Sums[pair] += Σ over pixels of x[offset of x + offset of the pair] · dy[offset of dy + channel]. The sum over the pixels is formed in
    /// registers from zero and added once.
    /// </summary>
    /// <param name="channels">Output channels that are left.</param>
    public static void Run<T>(in Job job, int channels)
        where T : struct, IFloats<T>
    {
        if (TileKernel.Width<T>(channels) == 2 * T.Count)
        {
            Run6x2<T>(in job, T.Count == 8 ? 0 : Run12x2<T>(in job));
        }
        else
        {
            Run6x2<Floats8>(in job, VectorWidth.IsSplit ? 0 : Run12x1<T>(in job));
        }
    }

    /// <summary>dBias[channel] += Σ over pixels of dy, formed in registers first.</summary>
    /// <param name="channels">Output channels that are left.</param>
    public static void RunBias<T>(in Job job, int channels, float* dBias)
        where T : struct, IFloats<T>
    {
        if (TileKernel.Width<T>(channels) == 2 * T.Count)
        {
            Bias<T>(in job, dBias);
        }
        else
        {
            Bias<Floats8>(in job, dBias);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run12x2<T>(in Job job)
        where T : struct, IFloats<T>
    {
        nint plane = job.Plane, step = job.VectorStep, lastPlane = job.LastPlane;
        int* end = job.Offsets + 2 * (nint)job.PixelCount;
        int pair = 0;
        for (; pair + 12 <= job.PairCount; pair += 12)
        {
            int* pairs = job.PairOffsets + pair;
            float* x0 = job.X + pairs[0], x1 = job.X + pairs[1], x2 = job.X + pairs[2];
            float* x3 = job.X + pairs[3], x4 = job.X + pairs[4], x5 = job.X + pairs[5];
            float* x6 = job.X + pairs[6], x7 = job.X + pairs[7], x8 = job.X + pairs[8];
            float* x9 = job.X + pairs[9], x10 = job.X + pairs[10], x11 = job.X + pairs[11];
            T a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
            T a6 = default, a7 = default, a8 = default, a9 = default, a10 = default, a11 = default;
            T b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default;
            T b6 = default, b7 = default, b8 = default, b9 = default, b10 = default, b11 = default;
            for (int* pixel = job.Offsets; pixel < end; pixel += 2)
            {
                nint offset = pixel[0];
                float* d = job.Dy + pixel[1];
                T d0 = T.LoadBlocks(d, plane);
                T d1 = T.LoadBlocks(d + step, lastPlane);
                T x = T.Create(x0[offset]);
                a0 = T.MultiplyAdd(x, d0, a0);
                b0 = T.MultiplyAdd(x, d1, b0);
                x = T.Create(x1[offset]);
                a1 = T.MultiplyAdd(x, d0, a1);
                b1 = T.MultiplyAdd(x, d1, b1);
                x = T.Create(x2[offset]);
                a2 = T.MultiplyAdd(x, d0, a2);
                b2 = T.MultiplyAdd(x, d1, b2);
                x = T.Create(x3[offset]);
                a3 = T.MultiplyAdd(x, d0, a3);
                b3 = T.MultiplyAdd(x, d1, b3);
                x = T.Create(x4[offset]);
                a4 = T.MultiplyAdd(x, d0, a4);
                b4 = T.MultiplyAdd(x, d1, b4);
                x = T.Create(x5[offset]);
                a5 = T.MultiplyAdd(x, d0, a5);
                b5 = T.MultiplyAdd(x, d1, b5);
                x = T.Create(x6[offset]);
                a6 = T.MultiplyAdd(x, d0, a6);
                b6 = T.MultiplyAdd(x, d1, b6);
                x = T.Create(x7[offset]);
                a7 = T.MultiplyAdd(x, d0, a7);
                b7 = T.MultiplyAdd(x, d1, b7);
                x = T.Create(x8[offset]);
                a8 = T.MultiplyAdd(x, d0, a8);
                b8 = T.MultiplyAdd(x, d1, b8);
                x = T.Create(x9[offset]);
                a9 = T.MultiplyAdd(x, d0, a9);
                b9 = T.MultiplyAdd(x, d1, b9);
                x = T.Create(x10[offset]);
                a10 = T.MultiplyAdd(x, d0, a10);
                b10 = T.MultiplyAdd(x, d1, b10);
                x = T.Create(x11[offset]);
                a11 = T.MultiplyAdd(x, d0, a11);
                b11 = T.MultiplyAdd(x, d1, b11);
            }

            float* sums = job.Sums + 2 * T.Count * (nint)pair;
            Put(sums, a0, job.Overwrite);
            Put(sums + T.Count, b0, job.Overwrite);
            Put(sums + 2 * T.Count, a1, job.Overwrite);
            Put(sums + 3 * T.Count, b1, job.Overwrite);
            Put(sums + 4 * T.Count, a2, job.Overwrite);
            Put(sums + 5 * T.Count, b2, job.Overwrite);
            Put(sums + 6 * T.Count, a3, job.Overwrite);
            Put(sums + 7 * T.Count, b3, job.Overwrite);
            Put(sums + 8 * T.Count, a4, job.Overwrite);
            Put(sums + 9 * T.Count, b4, job.Overwrite);
            Put(sums + 10 * T.Count, a5, job.Overwrite);
            Put(sums + 11 * T.Count, b5, job.Overwrite);
            Put(sums + 12 * T.Count, a6, job.Overwrite);
            Put(sums + 13 * T.Count, b6, job.Overwrite);
            Put(sums + 14 * T.Count, a7, job.Overwrite);
            Put(sums + 15 * T.Count, b7, job.Overwrite);
            Put(sums + 16 * T.Count, a8, job.Overwrite);
            Put(sums + 17 * T.Count, b8, job.Overwrite);
            Put(sums + 18 * T.Count, a9, job.Overwrite);
            Put(sums + 19 * T.Count, b9, job.Overwrite);
            Put(sums + 20 * T.Count, a10, job.Overwrite);
            Put(sums + 21 * T.Count, b10, job.Overwrite);
            Put(sums + 22 * T.Count, a11, job.Overwrite);
            Put(sums + 23 * T.Count, b11, job.Overwrite);
        }

        return pair;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run12x1<T>(in Job job)
        where T : struct, IFloats<T>
    {
        nint plane = job.LastPlane;
        int* end = job.Offsets + 2 * (nint)job.PixelCount;
        int pair = 0;
        for (; pair + 12 <= job.PairCount; pair += 12)
        {
            int* pairs = job.PairOffsets + pair;
            float* x0 = job.X + pairs[0], x1 = job.X + pairs[1], x2 = job.X + pairs[2];
            float* x3 = job.X + pairs[3], x4 = job.X + pairs[4], x5 = job.X + pairs[5];
            float* x6 = job.X + pairs[6], x7 = job.X + pairs[7], x8 = job.X + pairs[8];
            float* x9 = job.X + pairs[9], x10 = job.X + pairs[10], x11 = job.X + pairs[11];
            T a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
            T a6 = default, a7 = default, a8 = default, a9 = default, a10 = default, a11 = default;
            for (int* pixel = job.Offsets; pixel < end; pixel += 2)
            {
                nint offset = pixel[0];
                float* d = job.Dy + pixel[1];
                T d0 = T.LoadBlocks(d, plane);
                a0 = T.MultiplyAdd(T.Create(x0[offset]), d0, a0);
                a1 = T.MultiplyAdd(T.Create(x1[offset]), d0, a1);
                a2 = T.MultiplyAdd(T.Create(x2[offset]), d0, a2);
                a3 = T.MultiplyAdd(T.Create(x3[offset]), d0, a3);
                a4 = T.MultiplyAdd(T.Create(x4[offset]), d0, a4);
                a5 = T.MultiplyAdd(T.Create(x5[offset]), d0, a5);
                a6 = T.MultiplyAdd(T.Create(x6[offset]), d0, a6);
                a7 = T.MultiplyAdd(T.Create(x7[offset]), d0, a7);
                a8 = T.MultiplyAdd(T.Create(x8[offset]), d0, a8);
                a9 = T.MultiplyAdd(T.Create(x9[offset]), d0, a9);
                a10 = T.MultiplyAdd(T.Create(x10[offset]), d0, a10);
                a11 = T.MultiplyAdd(T.Create(x11[offset]), d0, a11);
            }

            float* sums = job.Sums + T.Count * (nint)pair;
            Put(sums, a0, job.Overwrite);
            Put(sums + T.Count, a1, job.Overwrite);
            Put(sums + 2 * T.Count, a2, job.Overwrite);
            Put(sums + 3 * T.Count, a3, job.Overwrite);
            Put(sums + 4 * T.Count, a4, job.Overwrite);
            Put(sums + 5 * T.Count, a5, job.Overwrite);
            Put(sums + 6 * T.Count, a6, job.Overwrite);
            Put(sums + 7 * T.Count, a7, job.Overwrite);
            Put(sums + 8 * T.Count, a8, job.Overwrite);
            Put(sums + 9 * T.Count, a9, job.Overwrite);
            Put(sums + 10 * T.Count, a10, job.Overwrite);
            Put(sums + 11 * T.Count, a11, job.Overwrite);
        }

        return pair;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run6x2<T>(in Job job, int pair)
        where T : struct, IFloats<T>
    {
        nint plane = job.Plane, step = job.VectorStep, lastPlane = job.LastPlane;
        int* end = job.Offsets + 2 * (nint)job.PixelCount;
        for (; pair < job.PairCount; pair += 6)
        {
            int* pairs = job.PairOffsets + pair;
            float* x0 = job.X + pairs[0], x1 = job.X + pairs[1], x2 = job.X + pairs[2];
            float* x3 = job.X + pairs[3], x4 = job.X + pairs[4], x5 = job.X + pairs[5];
            T a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
            T b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default;
            for (int* pixel = job.Offsets; pixel < end; pixel += 2)
            {
                nint offset = pixel[0];
                float* d = job.Dy + pixel[1];
                T d0 = T.LoadBlocks(d, plane);
                T d1 = T.LoadBlocks(d + step, lastPlane);
                T x = T.Create(x0[offset]);
                a0 = T.MultiplyAdd(x, d0, a0);
                b0 = T.MultiplyAdd(x, d1, b0);
                x = T.Create(x1[offset]);
                a1 = T.MultiplyAdd(x, d0, a1);
                b1 = T.MultiplyAdd(x, d1, b1);
                x = T.Create(x2[offset]);
                a2 = T.MultiplyAdd(x, d0, a2);
                b2 = T.MultiplyAdd(x, d1, b2);
                x = T.Create(x3[offset]);
                a3 = T.MultiplyAdd(x, d0, a3);
                b3 = T.MultiplyAdd(x, d1, b3);
                x = T.Create(x4[offset]);
                a4 = T.MultiplyAdd(x, d0, a4);
                b4 = T.MultiplyAdd(x, d1, b4);
                x = T.Create(x5[offset]);
                a5 = T.MultiplyAdd(x, d0, a5);
                b5 = T.MultiplyAdd(x, d1, b5);
            }

            float* sums = job.Sums + 2 * T.Count * (nint)pair;
            Put(sums, a0, job.Overwrite);
            Put(sums + T.Count, b0, job.Overwrite);
            Put(sums + 2 * T.Count, a1, job.Overwrite);
            Put(sums + 3 * T.Count, b1, job.Overwrite);
            Put(sums + 4 * T.Count, a2, job.Overwrite);
            Put(sums + 5 * T.Count, b2, job.Overwrite);
            Put(sums + 6 * T.Count, a3, job.Overwrite);
            Put(sums + 7 * T.Count, b3, job.Overwrite);
            Put(sums + 8 * T.Count, a4, job.Overwrite);
            Put(sums + 9 * T.Count, b4, job.Overwrite);
            Put(sums + 10 * T.Count, a5, job.Overwrite);
            Put(sums + 11 * T.Count, b5, job.Overwrite);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Bias<T>(in Job job, float* dBias)
        where T : struct, IFloats<T>
    {
        T a = default, b = default;
        for (int* pixel = job.Offsets, end = pixel + 2 * (nint)job.PixelCount; pixel < end; pixel += 2)
        {
            float* d = job.Dy + pixel[1];
            a += T.LoadBlocks(d, job.Plane);
            b += T.LoadBlocks(d + job.VectorStep, job.LastPlane);
        }

        Put(dBias, a, overwrite: false);
        Put(dBias + T.Count, b, overwrite: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(float* sum, T value, bool overwrite)
        where T : struct, IFloats<T>
    {
        if (!overwrite)
        {
            value = T.Load(sum) + value;
        }

        value.Store(sum);
    }
}
