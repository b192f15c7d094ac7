using ConvNet.Engine.Geometry;
using ConvNet.Engine.Threads;

namespace ConvNet.Engine.Tests.Golden;

/// <summary>Plain (N, C, H, W) arrays to and from blocked activations.</summary>
internal static class Volume
{
    /// <summary>Copies samples <paramref name="first"/> … of a plain array to the slots 0 … of an activation.</summary>
    public static void Fill(Activation activation, float[] values, int first, int count)
    {
        Shape shape = activation.Shape;
        int at = first * shape.Count;
        for (int n = 0; n < count; n++)
        {
            for (int c = 0; c < shape.C; c++)
            {
                for (int h = 0; h < shape.H; h++)
                {
                    for (int w = 0; w < shape.W; w++)
                    {
                        activation[n, c, h, w] = values[at++];
                    }
                }
            }
        }
    }

    public static Activation From(Shape shape, float[] values, int first, int count)
    {
        var activation = new Activation(shape, count);
        Fill(activation, values, first, count);
        return activation;
    }

    public static float[] Read(Activation activation, int count)
    {
        Shape shape = activation.Shape;
        var values = new float[count * shape.Count];
        int at = 0;
        for (int n = 0; n < count; n++)
        {
            for (int c = 0; c < shape.C; c++)
            {
                for (int h = 0; h < shape.H; h++)
                {
                    for (int w = 0; w < shape.W; w++)
                    {
                        values[at++] = activation[n, c, h, w];
                    }
                }
            }
        }

        return values;
    }

    /// <summary>True if a lane past the last channel holds anything but zero.</summary>
    public static bool HasDirtyPadding(Activation activation, int count)
    {
        Shape shape = activation.Shape;
        for (int n = 0; n < count; n++)
        {
            for (int c = shape.C; c < shape.Blocks * 8; c++)
            {
                for (int i = 0; i < shape.Area; i++)
                {
                    if (activation[n, c, i / shape.W, i % shape.W] != 0)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }
}
