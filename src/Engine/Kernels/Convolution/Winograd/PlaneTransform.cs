using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// Moves one sample's block of 8 channels between pixels and Winograd points. Point (i, j) of tile t lies at
/// points + (i·side + j)·pointStep + t·tileStep: a plane of tiles for each point, which is one operand of a matrix product.
/// </summary>
internal static unsafe class PlaneTransform
{
    /// <summary>Tiles to points: each tile is Inputs × Inputs pixels, <paramref name="tileSize"/> apart.</summary>
    /// <param name="frame">(tileRows·tileSize + overlap, width, 8).</param>
    /// <param name="width">tileColumns·tileSize + overlap.</param>
    /// <param name="lines">Scratch for Outputs·width vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToPoints<T>(
        float* frame, int width, int tileRows, int tileColumns, int tileSize, float* lines, float* points, nint pointStep, nint tileStep)
        where T : struct, ILineTransform
    {
        nint row = 8 * (nint)width;
        for (int tileRow = 0; tileRow < tileRows; tileRow++)
        {
            // Tiles of a row share the columns of their overlap.
            for (nint column = 0; column < row; column += 8)
            {
                T.Apply(frame + column, row, lines + column, row);
            }

            float* tile = lines;
            for (int tileColumn = 0; tileColumn < tileColumns; tileColumn++)
            {
                for (nint i = 0; i < T.Outputs; i++)
                {
                    T.Apply(tile + i * row, 8, points + i * T.Outputs * pointStep, pointStep);
                }

                tile += 8 * tileSize;
                points += tileStep;
            }

            frame += tileSize * row;
        }
    }

    /// <summary>Points to tiles of Outputs × Outputs pixels side by side; what lies beyond the image is dropped.</summary>
    /// <param name="image">(height, width, 8), overwritten.</param>
    /// <param name="lines">Scratch for Inputs·Outputs + Outputs vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromPoints<T>(float* points, nint pointStep, nint tileStep, float* lines, float* image, int height, int width)
        where T : struct, ILineTransform
    {
        float* cut = lines + 8 * T.Inputs * T.Outputs;
        for (int top = 0; top < height; top += T.Outputs)
        {
            int rows = Math.Min(T.Outputs, height - top);
            for (int left = 0; left < width; left += T.Outputs)
            {
                for (nint j = 0; j < T.Inputs; j++)
                {
                    T.Apply(points + j * pointStep, T.Inputs * pointStep, lines + 8 * j, 8 * T.Inputs);
                }

                points += tileStep;
                float* target = image + 8 * ((nint)top * width + left);
                int columns = Math.Min(T.Outputs, width - left);
                for (nint i = 0; i < rows; i++, target += 8 * width)
                {
                    if (columns == T.Outputs)
                    {
                        T.Apply(lines + 8 * i * T.Inputs, 8, target, 8);
                        continue;
                    }

                    T.Apply(lines + 8 * i * T.Inputs, 8, cut, 8);
                    for (nint column = 0; column < columns; column++)
                    {
                        Vector256.Load(cut + 8 * column).Store(target + 8 * column);
                    }
                }
            }
        }
    }
}
