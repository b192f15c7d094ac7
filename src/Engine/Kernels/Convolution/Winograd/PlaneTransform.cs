using System.Runtime.CompilerServices;

namespace ConvNet.Engine.Kernels.Convolution.Winograd;

/// <summary>
/// Moves the channels of one vector, one block of 8 or two side by side, between one sample's pixels and Winograd points. Point (i, j) of
/// tile t lies at points + (i·side + j)·pointStep + t·tileStep: a plane of tiles for each point, which is one operand of a matrix product.
/// </summary>
internal static unsafe class PlaneTransform
{
    /// <summary>Tiles to points: each tile is Inputs × Inputs pixels, <paramref name="tileSize"/> apart.</summary>
    /// <param name="frame">(tileRows·tileSize + overlap, width, lanes).</param>
    /// <param name="width">tileColumns·tileSize + overlap.</param>
    /// <param name="lines">Scratch for Outputs·width vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToPoints<TTransform, T>(
        float* frame, int width, int tileRows, int tileColumns, int tileSize, float* lines, float* points, nint pointStep, nint tileStep)
        where TTransform : struct, ILineTransform
        where T : struct, IFloats<T>
    {
        nint row = T.Count * (nint)width;
        for (int tileRow = 0; tileRow < tileRows; tileRow++)
        {
            // Tiles of a row share the columns of their overlap.
            for (nint column = 0; column < row; column += T.Count)
            {
                TTransform.Apply<T>(frame + column, row, lines + column, row, 8);
            }

            float* tile = lines;
            for (int tileColumn = 0; tileColumn < tileColumns; tileColumn++)
            {
                for (nint i = 0; i < TTransform.Outputs; i++)
                {
                    TTransform.Apply<T>(tile + i * row, T.Count, points + i * TTransform.Outputs * pointStep, pointStep, 8);
                }

                tile += T.Count * tileSize;
                points += tileStep;
            }

            frame += tileSize * row;
        }
    }

    /// <summary>Points to tiles of Outputs × Outputs pixels side by side; what lies beyond the image is dropped.</summary>
    /// <param name="lines">Scratch for Inputs·Outputs + Outputs vectors.</param>
    /// <param name="image">(height, width, 8), overwritten.</param>
    /// <param name="plane">Floats from the image's first 8 lanes to its second 8; 0 drops those.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromPoints<TTransform, T>(
        float* points, nint pointStep, nint tileStep, float* lines, float* image, nint plane, int height, int width)
        where TTransform : struct, ILineTransform
        where T : struct, IFloats<T>
    {
        nint lanes = T.Count;
        float* cut = lines + lanes * TTransform.Inputs * TTransform.Outputs;
        for (int top = 0; top < height; top += TTransform.Outputs)
        {
            int rows = Math.Min(TTransform.Outputs, height - top);
            for (int left = 0; left < width; left += TTransform.Outputs)
            {
                for (nint j = 0; j < TTransform.Inputs; j++)
                {
                    TTransform.Apply<T>(points + j * pointStep, TTransform.Inputs * pointStep, lines + lanes * j, lanes * TTransform.Inputs, 8);
                }

                points += tileStep;
                float* target = image + 8 * ((nint)top * width + left);
                int columns = Math.Min(TTransform.Outputs, width - left);
                for (nint i = 0; i < rows; i++, target += 8 * width)
                {
                    if (columns == TTransform.Outputs)
                    {
                        TTransform.Apply<T>(lines + lanes * i * TTransform.Inputs, lanes, target, 8, plane);
                        continue;
                    }

                    TTransform.Apply<T>(lines + lanes * i * TTransform.Inputs, lanes, cut, lanes, 8);
                    for (nint column = 0; column < columns; column++)
                    {
                        T.Load(cut + lanes * column).StoreBlocks(target + 8 * column, plane);
                    }
                }
            }
        }
    }
}
