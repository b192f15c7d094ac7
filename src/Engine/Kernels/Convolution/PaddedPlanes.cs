using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution;

/// <summary>Channel blocks of one sample with a frame of zeros, so that the inner loops need no bounds.</summary>
internal readonly record struct PaddedPlanes(int H, int W, int Top, int Left, int Bottom, int Right)
{
    public int PaddedH => Top + H + Bottom;

    public int PaddedW => Left + W + Right;

    public bool IsPlain => (Top | Left | Bottom | Right) == 0;

    /// <summary>Floats of one padded block.</summary>
    public int Stride => checked(PaddedH * PaddedW * 8);

    /// <summary>Where (h, w) lies in a padded block; negative coordinates reach into the frame.</summary>
    public int Offset(int h, int w) => ((h + Top) * PaddedW + w + Left) * 8;

    /// <summary>The smallest frame that covers rows top … bottom and columns left … right.</summary>
    public static PaddedPlanes Covering(int h, int w, int top, int left, int bottom, int right) =>
        new(h, w, Math.Max(0, -top), Math.Max(0, -left), Math.Max(0, bottom - h + 1), Math.Max(0, right - w + 1));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void Copy(float* source, float* destination, int blocks)
    {
        for (int block = 0; block < blocks; block++)
        {
            destination = Zero(destination, Top * PaddedW);
            for (int h = 0; h < H; h++)
            {
                destination = Zero(destination, Left);
                for (float* end = source + W * 8; source < end; source += 8, destination += 8)
                {
                    Vector256.Load(source).Store(destination);
                }

                destination = Zero(destination, Right);
            }

            destination = Zero(destination, Bottom * PaddedW);
        }
    }

    /// <summary>Clears some blocks of 8 floats and returns what follows them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float* Zero(float* destination, int blocks)
    {
        for (float* end = destination + blocks * 8; destination < end; destination += 8)
        {
            Vector256<float>.Zero.Store(destination);
        }

        return destination;
    }
}
