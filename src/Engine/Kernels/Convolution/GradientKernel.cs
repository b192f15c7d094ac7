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
                a0.AddProduct(x, d0);
                b0.AddProduct(x, d1);
                x = T.Create(x1[offset]);
                a1.AddProduct(x, d0);
                b1.AddProduct(x, d1);
                x = T.Create(x2[offset]);
                a2.AddProduct(x, d0);
                b2.AddProduct(x, d1);
                x = T.Create(x3[offset]);
                a3.AddProduct(x, d0);
                b3.AddProduct(x, d1);
                x = T.Create(x4[offset]);
                a4.AddProduct(x, d0);
                b4.AddProduct(x, d1);
                x = T.Create(x5[offset]);
                a5.AddProduct(x, d0);
                b5.AddProduct(x, d1);
                x = T.Create(x6[offset]);
                a6.AddProduct(x, d0);
                b6.AddProduct(x, d1);
                x = T.Create(x7[offset]);
                a7.AddProduct(x, d0);
                b7.AddProduct(x, d1);
                x = T.Create(x8[offset]);
                a8.AddProduct(x, d0);
                b8.AddProduct(x, d1);
                x = T.Create(x9[offset]);
                a9.AddProduct(x, d0);
                b9.AddProduct(x, d1);
                x = T.Create(x10[offset]);
                a10.AddProduct(x, d0);
                b10.AddProduct(x, d1);
                x = T.Create(x11[offset]);
                a11.AddProduct(x, d0);
                b11.AddProduct(x, d1);
            }

            float* sums = job.Sums + 2 * T.Count * (nint)pair;
            Put(sums, a0, b0, job.Overwrite);
            Put(sums + 2 * T.Count, a1, b1, job.Overwrite);
            Put(sums + 4 * T.Count, a2, b2, job.Overwrite);
            Put(sums + 6 * T.Count, a3, b3, job.Overwrite);
            Put(sums + 8 * T.Count, a4, b4, job.Overwrite);
            Put(sums + 10 * T.Count, a5, b5, job.Overwrite);
            Put(sums + 12 * T.Count, a6, b6, job.Overwrite);
            Put(sums + 14 * T.Count, a7, b7, job.Overwrite);
            Put(sums + 16 * T.Count, a8, b8, job.Overwrite);
            Put(sums + 18 * T.Count, a9, b9, job.Overwrite);
            Put(sums + 20 * T.Count, a10, b10, job.Overwrite);
            Put(sums + 22 * T.Count, a11, b11, job.Overwrite);
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
                a0.AddProduct(T.Create(x0[offset]), d0);
                a1.AddProduct(T.Create(x1[offset]), d0);
                a2.AddProduct(T.Create(x2[offset]), d0);
                a3.AddProduct(T.Create(x3[offset]), d0);
                a4.AddProduct(T.Create(x4[offset]), d0);
                a5.AddProduct(T.Create(x5[offset]), d0);
                a6.AddProduct(T.Create(x6[offset]), d0);
                a7.AddProduct(T.Create(x7[offset]), d0);
                a8.AddProduct(T.Create(x8[offset]), d0);
                a9.AddProduct(T.Create(x9[offset]), d0);
                a10.AddProduct(T.Create(x10[offset]), d0);
                a11.AddProduct(T.Create(x11[offset]), d0);
            }

            float* sums = job.Sums + T.Count * (nint)pair;
            Put(sums, a0, a1, job.Overwrite);
            Put(sums + 2 * T.Count, a2, a3, job.Overwrite);
            Put(sums + 4 * T.Count, a4, a5, job.Overwrite);
            Put(sums + 6 * T.Count, a6, a7, job.Overwrite);
            Put(sums + 8 * T.Count, a8, a9, job.Overwrite);
            Put(sums + 10 * T.Count, a10, a11, job.Overwrite);
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
                a0.AddProduct(x, d0);
                b0.AddProduct(x, d1);
                x = T.Create(x1[offset]);
                a1.AddProduct(x, d0);
                b1.AddProduct(x, d1);
                x = T.Create(x2[offset]);
                a2.AddProduct(x, d0);
                b2.AddProduct(x, d1);
                x = T.Create(x3[offset]);
                a3.AddProduct(x, d0);
                b3.AddProduct(x, d1);
                x = T.Create(x4[offset]);
                a4.AddProduct(x, d0);
                b4.AddProduct(x, d1);
                x = T.Create(x5[offset]);
                a5.AddProduct(x, d0);
                b5.AddProduct(x, d1);
            }

            float* sums = job.Sums + 2 * T.Count * (nint)pair;
            Put(sums, a0, b0, job.Overwrite);
            Put(sums + 2 * T.Count, a1, b1, job.Overwrite);
            Put(sums + 4 * T.Count, a2, b2, job.Overwrite);
            Put(sums + 6 * T.Count, a3, b3, job.Overwrite);
            Put(sums + 8 * T.Count, a4, b4, job.Overwrite);
            Put(sums + 10 * T.Count, a5, b5, job.Overwrite);
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

        Put(dBias, a, b, overwrite: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(float* sums, T first, T second, bool overwrite)
        where T : struct, IFloats<T>
    {
        if (!overwrite)
        {
            first = T.Load(sums) + first;
            second = T.Load(sums + T.Count) + second;
        }

        first.Store(sums);
        second.Store(sums + T.Count);
    }
}
